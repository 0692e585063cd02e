/**
 * For a person who needs help and not a tool: say what is wrong in three fields, and see what becomes of
 * it. It stands on the desk's tickets and shows only one's own.
 */
import { useInfiniteQuery, useMutation, useQueryClient, useSuspenseQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { HandHelping } from 'lucide-react';
import { type FormEvent, useId, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { newId } from '@/api/ids';
import { entityQuery, fieldNamed } from '@/api/meta';
import { isProblem } from '@/api/problem';
import { createRecord, listQuery, recordKeys } from '@/api/records';
import type { EntityMeta, FieldMeta, Labels, RecordData } from '@/api/types';
import { ProblemState } from '@/feedback/ProblemState';
import { problemText } from '@/feedback/problem-text';
import { told } from '@/feedback/toasts';
import { FieldDisplay } from '@/records/fields/FieldDisplay';
import { FieldInput } from '@/records/fields/FieldInput';
import { Button } from '@/ui/button';
import { EmptyState } from '@/ui/empty-state';
import { Skeleton } from '@/ui/skeleton';

const FIELDS = ['title', 'description', 'kind'];

const mine = {
  fields: ['number', 'title', 'status', 'assignee', 'updated_at'],
  filter: { field: 'requester', op: 'eq', value: '@me' } as const,
  sort: ['-updated_at'],
  limit: 30,
};

/** Who asks for help writes words, not Markdown. */
function plain(field: FieldMeta): FieldMeta {
  return field.type === 'rich_text' ? { ...field, type: 'long_text' } : field;
}

function fieldsOf(entity: EntityMeta): FieldMeta[] {
  return FIELDS.flatMap((name) => fieldNamed(entity, name) ?? [])
    .filter((field) => field.writable !== false)
    .map(plain);
}

function defaults(fields: FieldMeta[]): Record<string, unknown> {
  return Object.fromEntries(fields.map((field) => [field.name, field.default ?? null]));
}

function Ask({ entity }: { entity: EntityMeta }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const prefix = useId();
  const fields = fieldsOf(entity);
  const [id, setId] = useState(newId);
  const [values, setValues] = useState(() => defaults(fields));
  const create = useMutation({
    mutationFn: () => createRecord(entity, { id, ...values }, id),
    onSuccess: async ({ record }) => {
      setValues(defaults(fields));
      setId(newId());
      told(t('self_service.sent', { number: String(record.number ?? '') }));
      await client.invalidateQueries({ queryKey: recordKeys.lists(entity.name) });
    },
  });
  const errors = isProblem(create.error) ? create.error.fieldErrors : [];
  const submit = (event: FormEvent) => {
    event.preventDefault();
    create.mutate();
  };
  return (
    <form onSubmit={submit} noValidate className="flex flex-col gap-3 rounded-lg border p-4">
      {fields.map((field) => {
        const error = errors.find((candidate) => candidate.field === field.name);
        const fieldId = `${prefix}-${field.name}`;
        return (
          <div key={field.name} className="flex flex-col gap-1">
            <label htmlFor={fieldId} className="font-medium">
              {field.label}
            </label>
            <FieldInput
              id={fieldId}
              field={field}
              value={values[field.name]}
              onChange={(value) => setValues((current) => ({ ...current, [field.name]: value }))}
              invalid={error !== undefined}
              describedBy={error && `${fieldId}-error`}
              labels={{}}
              states={entity.states}
            />
            {error && (
              <p id={`${fieldId}-error`} className="text-danger">
                {error.message}
              </p>
            )}
          </div>
        );
      })}
      {create.isError && errors.length === 0 && (
        <p role="alert" className="rounded-md bg-danger-surface px-2.5 py-2 text-danger">
          {problemText(create.error, t)}
        </p>
      )}
      <Button type="submit" variant="primary" size="large" className="self-start" disabled={create.isPending}>
        {t('self_service.send')}
      </Button>
    </form>
  );
}

function Request({ entity, record, labels }: { entity: EntityMeta; record: RecordData; labels: Labels }) {
  const shown = (name: string) => {
    const field = fieldNamed(entity, name);
    return (
      field && (
        <FieldDisplay
          field={field}
          value={record[name]}
          variant="line"
          labels={labels}
          states={entity.states}
        />
      )
    );
  };
  return (
    <li className="border-b last:border-b-0">
      <Link
        to="/r/$collection/$id"
        params={{ collection: entity.collection, id: record.id }}
        className="flex items-center gap-3 px-3 py-2.5 hover:bg-hover"
      >
        <span className="min-w-0 flex-1">
          <span className="block truncate font-medium">{String(record.title ?? '')}</span>
          <span className="flex min-w-0 gap-2 text-muted-foreground">
            <span className="shrink-0">{shown('number')}</span>
            <span className="shrink-0">{shown('updated_at')}</span>
            <span className="flex min-w-0">{shown('assignee')}</span>
          </span>
        </span>
        <span className="shrink-0">{shown('status')}</span>
      </Link>
    </li>
  );
}

function Requests({ entity }: { entity: EntityMeta }) {
  const { t } = useTranslation();
  const { data, error, isError, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery(
    listQuery(entity, mine),
  );
  if (isError && !data) {
    return <ProblemState error={error} onRetry={() => void refetch()} />;
  }
  if (!data) {
    return <Skeleton className="h-48 rounded-lg" />;
  }
  if (data.pages[0]?.items.length === 0) {
    return (
      <EmptyState icon={<HandHelping aria-hidden />} title={t('self_service.none')}>
        {t('self_service.none_help')}
      </EmptyState>
    );
  }
  return (
    <>
      <ul className="overflow-hidden rounded-lg border">
        {data.pages.flatMap((page) =>
          page.items.map((record) => (
            <Request key={record.id} entity={entity} record={record} labels={page.labels} />
          )),
        )}
      </ul>
      {hasNextPage && (
        <Button className="mt-2" disabled={isFetchingNextPage} onClick={() => void fetchNextPage()}>
          {t('self_service.more')}
        </Button>
      )}
    </>
  );
}

export function SelfServicePage() {
  const { t } = useTranslation();
  const { data: entity } = useSuspenseQuery(entityQuery('ticket'));
  return (
    <div className="mx-auto flex max-w-2xl flex-col gap-8 p-4 sm:p-6">
      {entity.can.create && (
        <section>
          <h1 className="text-xl font-semibold">{t('self_service.title')}</h1>
          <p className="mb-3 text-muted-foreground">{t('self_service.help')}</p>
          <Ask entity={entity} />
        </section>
      )}
      <section>
        <h2 className="mb-2 font-semibold">{t('self_service.mine')}</h2>
        <Requests entity={entity} />
      </section>
    </div>
  );
}
