import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Paperclip } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { fileAddress } from '@/api/files';
import { appMetaQuery } from '@/api/meta';
import { Badge } from '@/ui/badge';
import { cn } from '@/ui/cn';
import type { DisplayProps } from '../contract';
import { FieldDisplay } from '../FieldDisplay';
import { kindOf } from '../lookup';

/** A record without a title among the labels is one the reader may not see, or no longer. */
function Unreadable() {
  const { t } = useTranslation();
  return <span className="truncate text-muted-foreground italic">{t('field.unreadable')}</span>;
}

/** In a grid the row is what one opens, so a link is text there; on the record page it leads on. */
export function LinkDisplay({ value, field, labels, variant }: DisplayProps<'link'>) {
  const title = labels[value];
  if (title === undefined) {
    return <Unreadable />;
  }
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
  const { t } = useTranslation();
  if (variant === 'line') {
    return (
      <span className="truncate">{value.map((id) => labels[id] ?? t('field.unreadable')).join(', ')}</span>
    );
  }
  return (
    <span className="flex flex-wrap gap-1">
      {value.map((id) => (
        <Link key={id} to="/r/$collection/$id" params={{ collection: field.to_collection, id }}>
          <Badge>{labels[id] ?? t('field.unreadable')}</Badge>
        </Link>
      ))}
    </span>
  );
}

export function AnyLinkDisplay({ value, labels, variant }: DisplayProps<'any_link'>) {
  const { data: app } = useQuery(appMetaQuery);
  const target = app?.entities.find(({ name }) => name === value.entity);
  const title = labels[value.id];
  if (title === undefined) {
    return <Unreadable />;
  }
  if (variant === 'line' || !target) {
    return <span className="truncate">{title}</span>;
  }
  return (
    <span className="inline-flex min-w-0 flex-wrap gap-x-1.5">
      <span className="text-muted-foreground">{target.label}</span>
      <Link
        to="/r/$collection/$id"
        params={{ collection: target.collection, id: value.id }}
        className="text-accent underline-offset-2 hover:underline"
      >
        {title}
      </Link>
    </span>
  );
}

export function ChildrenDisplay({ value, field, labels, variant }: DisplayProps<'children'>) {
  const { t } = useTranslation();
  if (variant === 'line') {
    return <span>{t('field.rows', { count: value.length })}</span>;
  }
  return (
    <div className="overflow-x-auto rounded-md border">
      <table className="w-full">
        <thead>
          <tr className="border-b text-left text-xs text-muted-foreground">
            {field.fields.map((column) => (
              <th
                key={column.name}
                scope="col"
                className={cn('h-7 px-2 font-medium', kindOf(column).align === 'end' && 'text-right')}
              >
                {column.label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {value.map((row, at) => (
            <tr key={row.id ?? at} className="border-b last:border-b-0">
              {field.fields.map((column) => (
                <td
                  key={column.name}
                  className={cn('h-7 px-2', kindOf(column).align === 'end' && 'text-right')}
                >
                  <FieldDisplay
                    field={column}
                    value={row[column.name]}
                    variant="line"
                    labels={labels}
                    states={[]}
                  />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

export function FileDisplay({ value, labels }: DisplayProps<'file'>) {
  const { t } = useTranslation();
  return (
    <a
      href={fileAddress(value)}
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
      src={fileAddress(value)}
      alt={labels[value] ?? field.label}
      loading="lazy"
      className={
        variant === 'line' ? 'size-6 rounded-sm object-cover' : 'max-h-64 max-w-full rounded-md border'
      }
    />
  );
}
