import { ExternalLink, KeyRound } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { cn } from '@/ui/cn';
import type { DisplayProps } from '../contract';

export function TextDisplay({ value, variant }: DisplayProps<'text' | 'long_text'>) {
  return <span className={variant === 'line' ? 'truncate' : 'break-words whitespace-pre-wrap'}>{value}</span>;
}

const link = 'text-accent underline-offset-2 hover:underline';

export function EmailDisplay({ value, variant }: DisplayProps<'email'>) {
  return (
    <a href={`mailto:${value}`} className={cn(link, variant === 'line' && 'truncate')}>
      {value}
    </a>
  );
}

export function PhoneDisplay({ value, variant }: DisplayProps<'phone'>) {
  return (
    <a href={`tel:${value.replace(/[^+\d]/g, '')}`} className={cn(link, variant === 'line' && 'truncate')}>
      {value}
    </a>
  );
}

/** Only what a browser opens as a page becomes a link; anything else is shown as the text it is. */
export function UrlDisplay({ value, variant }: DisplayProps<'url'>) {
  if (!/^https?:\/\//i.test(value)) {
    return <span className="truncate">{value}</span>;
  }
  return (
    <a
      href={value}
      target="_blank"
      rel="noreferrer"
      className={cn(link, 'inline-flex min-w-0 max-w-full items-center gap-1')}
    >
      <span className={variant === 'line' ? 'truncate' : 'break-all'}>
        {value.replace(/^https?:\/\//i, '')}
      </span>
      <ExternalLink aria-hidden className="size-3 shrink-0" />
    </a>
  );
}

export function ColorDisplay({ value }: DisplayProps<'color'>) {
  return (
    <span className="inline-flex items-center gap-1.5">
      <span aria-hidden className="size-3 rounded-sm border" style={{ backgroundColor: value }} />
      <span className="tabular-nums">{value}</span>
    </span>
  );
}

/** That there is one is all that anybody is told. */
export function SecretDisplay() {
  const { t } = useTranslation();
  return (
    <span className="inline-flex items-center gap-1 text-muted-foreground">
      <KeyRound aria-hidden className="size-3.5" />
      {t('field.secret_there')}
    </span>
  );
}

export function JsonDisplay({ value, variant }: DisplayProps<'json'>) {
  if (variant === 'line') {
    return <span className="truncate font-mono text-xs">{JSON.stringify(value)}</span>;
  }
  return (
    <pre className="max-h-80 overflow-auto rounded-md border bg-surface p-2 font-mono text-xs">
      {JSON.stringify(value, null, 2)}
    </pre>
  );
}
