import { Camera, X } from 'lucide-react';
import { useEffect, useMemo, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { useReader } from '@/reader/context';
import { formatBytes } from '@/reader/format';
import { Button } from '@/ui/button';

function Chosen({ file, onRemove }: { file: File; onRemove: () => void }) {
  const { t } = useTranslation();
  const { language } = useReader();
  const picture = useMemo(
    () =>
      file.type.startsWith('image/') && file.type !== 'image/svg+xml' ? URL.createObjectURL(file) : null,
    [file],
  );
  useEffect(() => () => (picture === null ? undefined : URL.revokeObjectURL(picture)), [picture]);
  return (
    <li className="flex items-center gap-2 rounded-md border py-1 pr-1 pl-1.5">
      {picture !== null && <img src={picture} alt="" className="size-9 rounded-sm object-cover" />}
      <span className="min-w-0 flex-1 truncate">{file.name}</span>
      <span className="shrink-0 text-xs text-muted-foreground">{formatBytes(file.size, language)}</span>
      <Button
        variant="ghost"
        size="icon"
        aria-label={t('field.remove', { name: file.name })}
        onClick={onRemove}
      >
        <X aria-hidden />
      </Button>
    </li>
  );
}

interface AttachmentsProps {
  files: File[];
  onChange: (files: File[]) => void;
  disabled?: boolean;
}

/** Pictures and files that go along with what one writes; on a phone the camera is offered too. */
export function Attachments({ files, onChange, disabled }: AttachmentsProps) {
  const { t } = useTranslation();
  const input = useRef<HTMLInputElement>(null);
  return (
    <div className="flex min-w-0 flex-col gap-1.5">
      {files.length > 0 && (
        <ul aria-label={t('record.files')} className="flex flex-col gap-1">
          {files.map((file, at) => (
            <Chosen
              key={`${file.name}-${file.size}-${file.lastModified}`}
              file={file}
              onRemove={() => onChange(files.toSpliced(at, 1))}
            />
          ))}
        </ul>
      )}
      <Button
        variant="outline"
        className="self-start"
        disabled={disabled}
        onClick={() => input.current?.click()}
      >
        <Camera aria-hidden /> {t('self_service.attach')}
      </Button>
      <input
        ref={input}
        type="file"
        multiple
        hidden
        aria-label={t('self_service.attach')}
        onChange={(event) => {
          const known = (file: File) =>
            files.some(
              ({ name, size, lastModified }) =>
                name === file.name && size === file.size && lastModified === file.lastModified,
            );
          onChange([...files, ...[...(event.target.files ?? [])].filter((file) => !known(file))]);
          event.target.value = '';
        }}
      />
    </div>
  );
}
