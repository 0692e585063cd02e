/** The record an execution or an approval is about, by the title it had then. */
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { appMetaQuery } from '@/api/meta';

interface AboutProps {
  entity: unknown;
  record: unknown;
  subject: unknown;
}

export function About({ entity, record, subject }: AboutProps) {
  const { data: app } = useQuery(appMetaQuery);
  const target = app?.entities.find(({ name }) => name === entity);
  const title = typeof subject === 'string' && subject !== '' ? subject : String(record ?? '');
  if (!target || typeof record !== 'string') {
    return title === '' ? null : <span>{title}</span>;
  }
  return (
    <span className="inline-flex min-w-0 flex-wrap gap-x-1.5">
      <span className="text-muted-foreground">{target.label}</span>
      <Link
        to="/r/$collection/$id"
        params={{ collection: target.collection, id: record }}
        className="break-words text-accent underline-offset-2 hover:underline"
      >
        {title}
      </Link>
    </span>
  );
}
