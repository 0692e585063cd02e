import { FileUp, X } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { fileAddress } from '@/api/files';
import { uploadFile } from '@/api/upload';
import { problemText } from '@/feedback/problem-text';
import { useReader } from '@/reader/context';
import { formatBytes } from '@/reader/format';
import { Button } from '@/ui/button';
import type { InputProps } from '../contract';
import { controlProps } from './control';

interface Upload {
  name: string;
  done: number;
}

/** Sends the file at once; the field then holds its id. Saving the record is what keeps it. */
function useUpload({ field, onChange, onProblem }: InputProps<'file' | 'image'>) {
  const { t } = useTranslation();
  const { language } = useReader();
  const [upload, setUpload] = useState<Upload | null>(null);
  const [error, setError] = useState<string | null>(null);
  const stop = useRef<AbortController | null>(null);
  useEffect(() => () => stop.current?.abort(), []);
  const start = async (file: File) => {
    setError(null);
    if (field.max_size && file.size > field.max_size) {
      setError(t('files.too_large', { name: file.name, size: formatBytes(field.max_size, language) }));
      return null;
    }
    const controller = new AbortController();
    stop.current = controller;
    setUpload({ name: file.name, done: 0 });
    onProblem?.(t('files.still_sending', { name: file.name }));
    try {
      const made = await uploadFile(file, {
        signal: controller.signal,
        onProgress: (done) => setUpload({ name: file.name, done }),
      });
      onChange(made.id);
      return made;
    } catch (problem) {
      if (!controller.signal.aborted) {
        setError(problemText(problem, t));
      }
      return null;
    } finally {
      setUpload(null);
      onProblem?.(null);
    }
  };
  return { upload, error, start, stop: () => stop.current?.abort() };
}

export function FileInput(props: InputProps<'file' | 'image'>) {
  const { t } = useTranslation();
  const { field, value, onChange, labels, disabled } = props;
  const { upload, error, start, stop } = useUpload(props);
  const [names, setNames] = useState<Record<string, string>>({});
  const { onBlur, ...control } = controlProps(props);
  const take = async (file: File | undefined) => {
    const made = file ? await start(file) : null;
    if (made) {
      setNames((known) => ({ ...known, [made.id]: made.name }));
    }
  };
  const isImage = field.type === 'image';
  const name = value === null ? null : (names[value] ?? labels[value] ?? t('field.file'));
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: dropping is a shortcut; the button inside does the same
    <div
      className="flex min-h-7 flex-wrap items-center gap-2 rounded-md border border-dashed border-control px-2 py-1.5"
      onDragOver={(event) => event.preventDefault()}
      onDrop={(event) => {
        event.preventDefault();
        event.stopPropagation();
        void take(event.dataTransfer.files[0]);
      }}
    >
      {value !== null &&
        (isImage ? (
          <img src={fileAddress(value)} alt={name ?? ''} className="max-h-32 max-w-full rounded-sm" />
        ) : (
          <a href={fileAddress(value)} className="min-w-0 truncate text-accent hover:underline">
            {name}
          </a>
        ))}
      {upload ? (
        <span className="flex min-w-0 flex-1 items-center gap-2">
          <span className="truncate">{upload.name}</span>
          <progress className="min-w-16 flex-1" value={upload.done} aria-label={upload.name} />
          <Button variant="ghost" size="icon" aria-label={t('files.stop')} onClick={stop}>
            <X aria-hidden />
          </Button>
        </span>
      ) : (
        <label className="relative inline-flex min-h-7 cursor-pointer items-center gap-1.5 text-accent has-focus-visible:outline-2 has-focus-visible:outline-accent pointer-coarse:min-h-11 [&_svg]:size-4">
          <FileUp aria-hidden />
          {t(value === null ? 'files.choose' : 'files.replace')}
          <input
            {...control}
            type="file"
            accept={isImage ? 'image/*' : undefined}
            disabled={disabled}
            className="absolute inset-0 cursor-pointer opacity-0"
            onBlur={onBlur}
            onChange={(event) => {
              void take(event.target.files?.[0]);
              event.target.value = '';
            }}
          />
        </label>
      )}
      {value !== null && !upload && (
        <Button
          variant="ghost"
          size="icon"
          className="ml-auto"
          disabled={disabled}
          aria-label={t('field.clear', { label: field.label })}
          onClick={() => onChange(null)}
        >
          <X aria-hidden />
        </Button>
      )}
      {error && (
        <p role="alert" className="w-full text-danger">
          {error}
        </p>
      )}
    </div>
  );
}
