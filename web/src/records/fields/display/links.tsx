import { Link } from '@tanstack/react-router';
import { Paperclip } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { Badge } from '@/ui/badge';
import type { DisplayProps } from '../contract';

/** In a grid the row is what one opens, so a link is text there; on the record page it leads on. */
export function LinkDisplay({ value, field, labels, variant }: DisplayProps<'link'>) {
  const title = labels[value] ?? value;
  if (variant === 'line') {
    return <span className="truncate">{title}</span>;
  }
  return (
    <Link
      to="/r/$collection/$id"
      params={{ collection: field.to_collection, id: value }}
      className="text-accent underline-offset-2 hover:underline"
    >
      {title}
    </Link>
  );
}

export function LinksDisplay({ value, field, labels, variant }: DisplayProps<'links'>) {
  if (variant === 'line') {
    return <span className="truncate">{value.map((id) => labels[id] ?? id).join(', ')}</span>;
  }
  return (
    <span className="flex flex-wrap gap-1">
      {value.map((id) => (
        <Link key={id} to="/r/$collection/$id" params={{ collection: field.to_collection, id }}>
          <Badge>{labels[id] ?? id}</Badge>
        </Link>
      ))}
    </span>
  );
}

export function AnyLinkDisplay({ value, labels }: DisplayProps<'any_link'>) {
  return <span className="truncate">{labels[value.id] ?? value.id}</span>;
}

export function ChildrenDisplay({ value }: DisplayProps<'children'>) {
  const { t } = useTranslation();
  return <span>{t('field.rows', { count: value.length })}</span>;
}

export function FileDisplay({ value, labels }: DisplayProps<'file'>) {
  const { t } = useTranslation();
  return (
    <a
      href={`/api/v1/files/${encodeURIComponent(value)}/content`}
      className="inline-flex min-w-0 items-center gap-1 text-accent underline-offset-2 hover:underline"
    >
      <Paperclip aria-hidden className="size-3.5 shrink-0" />
      <span className="truncate">{labels[value] ?? t('field.file')}</span>
    </a>
  );
}

export function ImageDisplay({ value, field, labels, variant }: DisplayProps<'image'>) {
  return (
    <img
      src={`/api/v1/files/${encodeURIComponent(value)}/content`}
      alt={labels[value] ?? field.label}
      loading="lazy"
      className={
        variant === 'line' ? 'size-6 rounded-sm object-cover' : 'max-h-64 max-w-full rounded-md border'
      }
    />
  );
}
