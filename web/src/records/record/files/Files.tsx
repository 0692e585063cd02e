/** The files a record holds, and those on their way to it. */
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Download, FileText, Paperclip, RotateCw, Trash2, X } from 'lucide-react';
import { useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { activityKeys, deletePart, filesQuery, restorePart } from '@/api/activity';
import { fileAddress, isPicture } from '@/api/files';
import type { EntityMeta, FileData } from '@/api/types';
import { ProblemState } from '@/feedback/ProblemState';
import { problemText } from '@/feedback/problem-text';
import { failed, told } from '@/feedback/toasts';
import { useReader } from '@/reader/context';
import { formatBytes } from '@/reader/format';
import { Moment } from '@/records/record/activity/Person';
import { Button } from '@/ui/button';
import { Skeleton } from '@/ui/skeleton';
import type { Upload, Uploads } from './useUploads';

/** Deletes at once; the message that says so brings it back. */
function useDeleteFile(entity: EntityMeta, id: string) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const readAgain = () => client.invalidateQueries({ queryKey: activityKeys.files(entity.name, id) });
  return async (file: FileData) => {
    try {
      await deletePart('files', file.id);
      told(t('files.deleted', { name: file.name }), {
        label: t('action.undo'),
        run: () =>
          void restorePart('files', file.id)
            .catch((error: unknown) =>
              failed(t('files.not_restored', { name: file.name }), problemText(error, t)),
            )
            .then(readAgain),
      });
    } catch (error) {
      failed(t('files.not_deleted', { name: file.name }), problemText(error, t));
    }
    await readAgain();
  };
}

interface FileRowProps {
  file: FileData;
  deletable: boolean;
  onDelete: () => void;
}

function FileRow({ file, deletable, onDelete }: FileRowProps) {
  const { t } = useTranslation();
  const { language } = useReader();
  const address = fileAddress(file.id);
  return (
    <li className="flex items-center gap-2 border-b px-2 py-1.5 last:border-b-0">
      <a
        href={address}
        target="_blank"
        rel="noreferrer"
        className="group/file flex min-w-0 flex-1 items-center gap-3 rounded-sm"
      >
        <span className="grid size-10 shrink-0 place-items-center overflow-hidden rounded-sm border bg-surface text-muted-foreground">
          {isPicture(file) ? (
            <img src={address} alt="" loading="lazy" className="size-full object-cover" />
          ) : (
            <FileText aria-hidden className="size-5" />
          )}
        </span>
        <span className="min-w-0">
          <span className="block truncate font-medium group-hover/file:underline">{file.name}</span>
          <span className="block text-xs text-muted-foreground">{formatBytes(file.size, language)}</span>
        </span>
      </a>
      <Moment at={file.created_at} />
      <Button variant="ghost" size="icon" asChild className="print:hidden">
        <a href={address} download={file.name} aria-label={t('files.download', { name: file.name })}>
          <Download aria-hidden />
        </a>
      </Button>
      {deletable && (
        <Button
          variant="ghost"
          size="icon"
          className="print:hidden"
          aria-label={t('files.delete', { name: file.name })}
          onClick={onDelete}
        >
          <Trash2 aria-hidden />
        </Button>
      )}
    </li>
  );
}

interface UploadRowProps {
  upload: Upload;
  onStop: () => void;
  onRetry: () => void;
}

function UploadRow({ upload, onStop, onRetry }: UploadRowProps) {
  const { t } = useTranslation();
  const { language } = useReader();
  const { file, done, error } = upload;
  const percent = new Intl.NumberFormat(language, { style: 'percent' }).format(done);
  return (
    <li className="flex items-center gap-2 border-b px-2 py-1.5 last:border-b-0">
      <span className="min-w-0 flex-1">
        <span className="flex justify-between gap-2">
          <span className="truncate">{file.name}</span>
          <span className="shrink-0 text-xs text-muted-foreground tabular-nums">
            {error ? formatBytes(file.size, language) : percent}
          </span>
        </span>
        {error ? (
          <span role="alert" className="block text-danger">
            {error}
          </span>
        ) : (
          <progress
            className="h-1.5 w-full accent-accent"
            value={done}
            aria-label={t('files.sending', { name: file.name })}
          />
        )}
      </span>
      {error && (
        <Button
          variant="ghost"
          size="icon"
          aria-label={t('files.retry', { name: file.name })}
          onClick={onRetry}
        >
          <RotateCw aria-hidden />
        </Button>
      )}
      <Button variant="ghost" size="icon" aria-label={t('files.stop')} onClick={onStop}>
        <X aria-hidden />
      </Button>
    </li>
  );
}

/** What is on its way, with how far it has got. */
export function UploadList({ uploads }: { uploads: Uploads }) {
  return (
    uploads.uploads.length > 0 && (
      <ul className="rounded-md border">
        {uploads.uploads.map((upload) => (
          <UploadRow
            key={upload.key}
            upload={upload}
            onStop={() => uploads.stop(upload.key)}
            onRetry={() => uploads.retry(upload)}
          />
        ))}
      </ul>
    )
  );
}

/** The button that opens the system's choice of files. */
function AttachButton({ onFiles }: { onFiles: (files: File[]) => void }) {
  const { t } = useTranslation();
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <Button onClick={() => input.current?.click()}>
        <Paperclip aria-hidden /> {t('files.attach')}
      </Button>
      <input
        ref={input}
        type="file"
        multiple
        hidden
        aria-label={t('files.attach')}
        onChange={(event) => {
          onFiles([...(event.target.files ?? [])]);
          event.target.value = '';
        }}
      />
    </>
  );
}

interface FilesProps {
  entity: EntityMeta;
  id: string;
  me: string;
  /** May remove files of others too. */
  manages: boolean;
  uploads: Uploads;
}

export function Files({ entity, id, me, manages, uploads }: FilesProps) {
  const { t } = useTranslation();
  const { data, error, isError, refetch } = useQuery(filesQuery(entity, id));
  const remove = useDeleteFile(entity, id);
  const files = data?.items ?? [];
  return (
    <div className="flex flex-col gap-3">
      <div className="flex flex-wrap items-center gap-3 print:hidden">
        <AttachButton onFiles={(list) => void uploads.add(list)} />
        <span className="text-xs text-muted-foreground pointer-coarse:hidden">{t('files.hint')}</span>
      </div>
      <UploadList uploads={uploads} />
      {isError && !data ? (
        <ProblemState error={error} onRetry={() => void refetch()} />
      ) : !data ? (
        <Skeleton className="h-24 rounded-md" />
      ) : files.length > 0 ? (
        <ul className="rounded-md border">
          {files.map((file) => (
            <FileRow
              key={file.id}
              file={file}
              deletable={manages || file.created_by === me}
              onDelete={() => void remove(file)}
            />
          ))}
        </ul>
      ) : (
        uploads.uploads.length === 0 && <p className="text-muted-foreground">{t('files.none')}</p>
      )}
    </div>
  );
}
