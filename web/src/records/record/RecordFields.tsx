import { Suspense } from 'react';
import { useTranslation } from 'react-i18next';
import type { EntityMeta, FieldMeta } from '@/api/types';
import { FieldDisplay } from '@/records/fields/FieldDisplay';
import { kindOf } from '@/records/fields/lookup';
import { isWide, sectionsOf } from '@/records/form/layout';
import { cn } from '@/ui/cn';
import { Skeleton } from '@/ui/skeleton';
import { useOwnParts } from './own-parts';
import { RecordField } from './RecordField';
import { useEditing, useRecordSession } from './session';

/** The fields a pending move to another state asks for. */
function useRequired(): Set<string> {
  const { entity, page } = useRecordSession();
  const { edit } = useEditing();
  const name = entity.state_field;
  const target = name === null ? undefined : edit.buffer?.changes[name];
  if (name === null || target === undefined) {
    return new Set();
  }
  const from = entity.states.find(({ value }) => value === page.record[name]);
  return new Set(from?.to.find(({ state }) => state === target)?.requires);
}

/** What no person writes and every record has: when it was made and changed, by whom. */
function Facts({ fields }: { fields: FieldMeta[] }) {
  const { page, entity } = useRecordSession();
  // A company, say, whose name the reader may not see tells him nothing.
  const known = fields.filter((field) => {
    const value = page.record[field.name];
    return (
      !kindOf(field).isEmpty(value) && !(field.type === 'link' && page.labels[String(value)] === undefined)
    );
  });
  return (
    <dl className="flex flex-wrap gap-x-6 gap-y-1 border-t pt-3 text-xs text-muted-foreground">
      {known.map((field) => (
        <div key={field.name} className="flex min-w-0 gap-1.5">
          <dt>{field.label}</dt>
          <dd className="min-w-0 text-foreground">
            <FieldDisplay
              field={field}
              value={page.record[field.name]}
              variant="line"
              labels={page.labels}
              states={entity.states}
            />
          </dd>
        </div>
      ))}
    </dl>
  );
}

/** The title is the heading of the page, and written there. */
export function isHeading(field: FieldMeta, entity: EntityMeta): boolean {
  return field.name === entity.title_field && kindOf(field).wide !== true;
}

/** The fields in the sections the entity declares, two side by side where there is room. */
export function RecordFields({ writing }: { writing: boolean }) {
  const { t } = useTranslation();
  const { entity } = useRecordSession();
  const required = useRequired();
  const own = useOwnParts(entity.name);
  const sections = sectionsOf(
    entity,
    (field) =>
      !isHeading(field, entity) &&
      !own?.fields.includes(field.name) &&
      !(field.type === 'password' && field.writable === false),
  );
  const placed = new Set([
    ...sections.flatMap(({ fields }) => fields.map(({ name }) => name)),
    ...(own?.fields ?? []),
  ]);
  const facts = entity.fields.filter(
    (field) => field.system && !placed.has(field.name) && field.name !== 'number',
  );
  return (
    <div className="@container flex flex-col gap-5">
      {sections.map((section) => (
        <section key={section.name} aria-label={section.label || t('record.fields')}>
          {section.label && <h2 className="mb-2 font-semibold">{section.label}</h2>}
          <div className="grid gap-x-8 gap-y-2 @2xl:grid-cols-2">
            {section.fields.map((field) => (
              <div
                key={field.name}
                className={cn('@container/column min-w-0', isWide(field, entity) && '@2xl:col-span-2')}
              >
                <RecordField
                  field={field}
                  writing={writing}
                  required={required.has(field.name)}
                  above={isWide(field, entity)}
                />
              </div>
            ))}
          </div>
        </section>
      ))}
      {own?.Body && (
        <Suspense fallback={<Skeleton className="h-64 rounded-md" />}>
          <own.Body />
        </Suspense>
      )}
      <Facts fields={facts} />
    </div>
  );
}
