import { useTranslation } from 'react-i18next';
import type { FieldMeta } from '@/api/types';
import { FieldDisplay } from '@/records/fields/FieldDisplay';
import { kindOf } from '@/records/fields/lookup';
import { isWide, sectionsOf } from '@/records/form/layout';
import { cn } from '@/ui/cn';
import { RecordField } from './RecordField';
import { useRecordSession } from './session';

/** The fields a pending move to another state asks for. */
function useRequired(): Set<string> {
  const { entity, page, edit } = useRecordSession();
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
  const known = fields.filter((field) => !kindOf(field).isEmpty(page.record[field.name]));
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

/** The fields in the sections the entity declares, two side by side where there is room. */
export function RecordFields({ writing }: { writing: boolean }) {
  const { t } = useTranslation();
  const { entity } = useRecordSession();
  const required = useRequired();
  const sections = sectionsOf(entity, (field) => !(field.type === 'password' && field.writable === false));
  const placed = new Set(sections.flatMap(({ fields }) => fields.map(({ name }) => name)));
  const facts = entity.fields.filter(
    (field) => field.system && !placed.has(field.name) && field.name !== 'number',
  );
  return (
    <div className="@container flex flex-col gap-5">
      {sections.map((section) => (
        <section key={section.name} aria-label={section.label || t('record.fields')}>
          {section.label && <h2 className="mb-2 font-semibold">{section.label}</h2>}
          <div className="grid gap-x-6 gap-y-3 @lg:grid-cols-2">
            {section.fields.map((field) => (
              <RecordField
                key={field.name}
                field={field}
                writing={writing}
                required={required.has(field.name)}
                className={cn(isWide(field, entity) && '@lg:col-span-2')}
              />
            ))}
          </div>
        </section>
      ))}
      <Facts fields={facts} />
    </div>
  );
}
