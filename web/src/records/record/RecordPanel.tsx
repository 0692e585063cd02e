/** One record, beside a list or as a page of its own. */
import { useSuspenseQuery } from '@tanstack/react-query';
import { appMetaQuery, entityQuery, fieldNamed } from '@/api/meta';
import { recordQuery } from '@/api/records';
import { FieldDisplay } from '@/records/fields/FieldDisplay';

export interface RecordPanelProps {
  collection: string;
  /** An id, or the record's number. */
  id: string;
  /** `panel`: beside the list it was opened from. `page`: the whole width. */
  mode: 'panel' | 'page';
  /** Closes the panel; absent on a page. */
  onClose?: () => void;
}

export function RecordPanel({ collection, id, mode }: RecordPanelProps) {
  const { data: app } = useSuspenseQuery(appMetaQuery);
  const name = app.entities.find((entity) => entity.collection === collection)?.name ?? collection;
  const { data: entity } = useSuspenseQuery(entityQuery(name));
  const { data } = useSuspenseQuery(recordQuery(entity, id));
  const title = entity.title_field ? fieldNamed(entity, entity.title_field) : undefined;
  return (
    <article className={mode === 'panel' ? 'p-4' : 'mx-auto max-w-3xl p-4'}>
      <h1 className="text-lg font-semibold">
        {String((title && data.record[title.name]) ?? data.record.number ?? id)}
      </h1>
      <dl className="mt-4 grid grid-cols-[10rem_1fr] gap-x-4 gap-y-2">
        {entity.fields.map((field) => (
          <div key={field.name} className="contents">
            <dt className="text-muted-foreground">{field.label}</dt>
            <dd className="min-w-0">
              <FieldDisplay
                field={field}
                value={data.record[field.name]}
                variant="block"
                labels={data.labels}
                states={entity.states}
              />
            </dd>
          </div>
        ))}
      </dl>
    </article>
  );
}
