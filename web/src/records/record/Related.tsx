/** The records that point here, each kind as a small list of its own. */
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Plus } from 'lucide-react';
import { lazy, memo, Suspense, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { entityQuery, fieldNamed } from '@/api/meta';
import { listQuery } from '@/api/records';
import type { Condition, EntityMeta, FieldMeta, Labels, RecordData, RelatedMeta } from '@/api/types';
import { ProblemState } from '@/feedback/ProblemState';
import { useReader } from '@/reader/context';
import { formatInteger } from '@/reader/format';
import { FieldDisplay } from '@/records/fields/FieldDisplay';
import { kindOf } from '@/records/fields/lookup';
import { Button } from '@/ui/button';
import { cn } from '@/ui/cn';
import { Skeleton } from '@/ui/skeleton';
import { useOwnParts } from './own-parts';
import { recordTitle } from './RecordHeader';
import { useRecordSession } from './session';

const CreateDialog = lazy(() =>
  import('@/records/form/CreateDialog').then(({ CreateDialog }) => ({ default: CreateDialog })),
);

/** More are seen in the list of their own. */
const SHOWN = 8;
const COLUMNS = 5;

/** The first columns of the target's own list; the link back here would say the same in each row. */
function columnsOf(target: EntityMeta, via: string): FieldMeta[] {
  const names = target.list.columns.filter((name) => name !== via);
  const fields = names.flatMap((name) => fieldNamed(target, name) ?? []);
  const title = target.title_field ? fieldNamed(target, target.title_field) : undefined;
  return title && !fields.slice(0, COLUMNS).includes(title)
    ? [title, ...fields].slice(0, COLUMNS)
    : fields.slice(0, COLUMNS);
}

interface RowProps {
  target: EntityMeta;
  record: RecordData;
  columns: FieldMeta[];
  labels: Labels;
}

function Row({ target, record, columns, labels }: RowProps) {
  const leading = columns.find(({ name }) => name === target.title_field) ?? columns[0];
  return (
    <tr className="relative border-b last:border-b-0 hover:bg-hover">
      {columns.map((field) => {
        const content = (
          <FieldDisplay
            field={field}
            value={record[field.name]}
            variant="line"
            labels={labels}
            states={target.states}
          />
        );
        return (
          <td
            key={field.name}
            className={cn(
              'h-8 max-w-72 truncate px-2 pointer-coarse:h-11',
              kindOf(field).align === 'end' && 'text-right',
              field !== leading && field.name !== 'number' && field.type !== 'state' && 'max-sm:hidden',
            )}
          >
            {field === leading ? (
              <Link
                to="/r/$collection/$id"
                params={{ collection: target.collection, id: record.id }}
                className="block truncate font-medium after:absolute after:inset-0 hover:underline"
              >
                {content ?? record.id}
              </Link>
            ) : (
              content
            )}
          </td>
        );
      })}
    </tr>
  );
}

interface RelatedListProps {
  related: RelatedMeta;
  target: EntityMeta;
}

function RelatedList({ related, target }: RelatedListProps) {
  const { t } = useTranslation();
  const { language } = useReader();
  const { entity, page } = useRecordSession();
  const title = recordTitle(entity, page.record, t);
  const [creating, setCreating] = useState(false);
  const { id } = page.record;
  const columns = columnsOf(target, related.via);
  const filter: Condition = { field: related.via, op: 'eq', value: id };
  const { data, error, isError, refetch } = useInfiniteQuery(
    listQuery(target, {
      fields: columns.map(({ name }) => name),
      filter,
      sort: target.list.sort,
      limit: SHOWN,
    }),
  );
  const first = data?.pages[0];
  const rows = first?.items ?? [];
  const total = first?.total ?? rows.length;
  const via = fieldNamed(target, related.via);
  const canAdd = target.can.create && via?.writable !== false;
  return (
    <section aria-label={related.label}>
      <div className="flex min-h-7 items-center gap-2">
        <h2 className="font-semibold">{related.label}</h2>
        {first && (
          <span className="text-muted-foreground tabular-nums">{formatInteger(total, language)}</span>
        )}
        <span className="ml-auto flex items-center gap-1 print:hidden">
          {total > rows.length && (
            <Button variant="ghost" asChild>
              <Link to="/r/$collection" params={{ collection: target.collection }} search={{ filter }}>
                {t('related.all')}
              </Link>
            </Button>
          )}
          {canAdd && (
            <Button
              variant="ghost"
              aria-label={t('related.add_to', { label: related.label })}
              onClick={() => setCreating(true)}
            >
              <Plus aria-hidden /> {t('related.add')}
            </Button>
          )}
        </span>
      </div>
      {isError && !data && <ProblemState error={error} onRetry={() => void refetch()} />}
      {!isError && !data && <Skeleton className="h-16 rounded-md" />}
      {rows.length > 0 && (
        <div className="mt-1 mb-3 overflow-x-auto rounded-md border">
          <table className="w-full">
            <thead className="max-sm:sr-only">
              <tr className="border-b text-left text-xs text-muted-foreground">
                {columns.map((field) => (
                  <th
                    key={field.name}
                    scope="col"
                    className={cn('h-7 px-2 font-medium', kindOf(field).align === 'end' && 'text-right')}
                  >
                    {field.label}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {rows.map((record) => (
                <Row
                  key={record.id}
                  target={target}
                  record={record}
                  columns={columns}
                  labels={first?.labels ?? {}}
                />
              ))}
            </tbody>
          </table>
        </div>
      )}
      <Suspense fallback={null}>
        {creating && (
          <CreateDialog
            entity={target}
            initial={{ [related.via]: related.many_to_many ? [id] : id }}
            labels={{ [id]: title }}
            onClose={() => setCreating(false)}
            onCreated={() => setCreating(false)}
          />
        )}
      </Suspense>
    </section>
  );
}

function RelatedKind({ related }: { related: RelatedMeta }) {
  const { data: target } = useQuery(entityQuery(related.entity));
  return target ? (
    <RelatedList related={related} target={target} />
  ) : (
    <Skeleton className="h-16 rounded-md" />
  );
}

export const Related = memo(function Related() {
  const { entity } = useRecordSession();
  const own = useOwnParts(entity.name)?.related;
  return (
    <div className="flex flex-col gap-2">
      {entity.related
        .filter(({ name }) => !own?.includes(name))
        .map((related) => (
          <RelatedKind key={related.name} related={related} />
        ))}
    </div>
  );
});
