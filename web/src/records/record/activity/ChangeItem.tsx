import { ArrowRight } from 'lucide-react';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { decodeValue } from '@/api/json';
import { fieldNamed } from '@/api/meta';
import type { FieldMeta, HistoryEntry, Labels } from '@/api/types';
import { FieldDisplay } from '@/records/fields/FieldDisplay';
import { kindOf } from '@/records/fields/lookup';
import { useRecordSession } from '../session';
import { Avatar, Moment } from './Person';

/** The acts of the audit that have words of their own. */
const ACTS = new Set(['create', 'update', 'delete', 'restore']);

/** Texts of several lines are told as changed; both versions would drown the rest. */
const LONG = new Set(['long_text', 'rich_text', 'json', 'children']);

interface SideProps {
  field: FieldMeta;
  value: unknown;
  labels: Labels;
}

function Side({ field, value, labels }: SideProps) {
  const { t } = useTranslation();
  const { entity } = useRecordSession();
  if (kindOf(field).isEmpty(value)) {
    return <span className="text-muted-foreground">{t('field.empty')}</span>;
  }
  return (
    <span className="inline-flex max-w-full min-w-0">
      <FieldDisplay field={field} value={value} variant="line" labels={labels} states={entity.states} />
    </span>
  );
}

interface ChangeProps {
  change: HistoryEntry['changes'][number];
  created: boolean;
  labels: Labels;
}

function Change({ change, created, labels }: ChangeProps) {
  const { t } = useTranslation();
  const { entity } = useRecordSession();
  const field = fieldNamed(entity, change.field);
  if (!field) {
    return null;
  }
  const before = decodeValue(field, change.before);
  const after = decodeValue(field, change.after);
  if (LONG.has(field.type)) {
    return (
      <li>
        <details>
          <summary className="cursor-pointer text-muted-foreground">
            {t('activity.long_changed', { label: field.label })}
          </summary>
          <div className="mt-1 grid gap-1.5 border-l-2 pl-2">
            {[
              { key: 'before', value: before },
              { key: 'after', value: after },
            ].map(({ key, value }) => (
              <div key={key}>
                <span className="text-xs text-muted-foreground">{t(`activity.${key}`)}</span>
                <FieldDisplay
                  field={field}
                  value={value}
                  variant="block"
                  labels={labels}
                  states={entity.states}
                />
              </div>
            ))}
          </div>
        </details>
      </li>
    );
  }
  return (
    <li className="flex min-w-0 flex-wrap items-center gap-x-1.5 gap-y-0.5">
      <span className="text-muted-foreground">{t('activity.field', { label: field.label })}</span>
      {!created && (
        <>
          <Side field={field} value={before} labels={labels} />
          <ArrowRight aria-hidden className="size-3 shrink-0 text-muted-foreground" />
          <span className="sr-only">{t('activity.became')}</span>
        </>
      )}
      <Side field={field} value={after} labels={labels} />
    </li>
  );
}

/** What a record began with is there for who asks; the story begins with that it began. */
function Changes({ created, children }: { created: boolean; children: ReactNode }) {
  const { t } = useTranslation();
  const list = <ul className="mt-0.5 flex flex-col gap-0.5">{children}</ul>;
  return created ? (
    <details>
      <summary className="cursor-pointer text-muted-foreground">{t('activity.first_values')}</summary>
      {list}
    </details>
  ) : (
    list
  );
}

interface ChangeItemProps {
  entry: HistoryEntry;
  labels: Labels;
}

/** How the reason begins of what a rule did. */
const BY_RULE = 'workflow ';

/** The rule that made a change; none when a person did. */
function ruleOf({ source, reason }: HistoryEntry): string | null {
  return source === 'workflow' && reason?.startsWith(BY_RULE) ? reason.slice(BY_RULE.length) : null;
}

/** Who did what, with each field before and after. */
export function ChangeItem({ entry, labels }: ChangeItemProps) {
  const { t } = useTranslation();
  const { entity } = useRecordSession();
  const name = entry.actor?.name ?? null;
  const created = entry.action === 'create';
  const rule = ruleOf(entry);
  // What was left empty at the beginning says nothing.
  const changes = entry.changes.filter(({ field, after }) => {
    const meta = fieldNamed(entity, field);
    return meta && !(created && kindOf(meta).isEmpty(after)) && (!meta.system || field === 'company');
  });
  const known = ACTS.has(entry.action);
  return (
    <article className="flex gap-2 px-1">
      <Avatar name={name} className="size-5" />
      <div className="min-w-0 flex-1">
        <p className="flex flex-wrap items-baseline gap-x-1.5">
          <span className="font-medium">{name ?? t('activity.system')}</span>
          <span className="text-muted-foreground">
            {known ? t(`activity.did.${entry.action}`) : t('activity.did.other', { action: entry.action })}
          </span>
          <Moment at={entry.at} />
        </p>
        {rule !== null && <p>{t('activity.rule_applied', { name: rule })}</p>}
        {entry.result !== 'ok' && <p className="text-danger">{t('activity.refused')}</p>}
        {changes.length > 0 && (
          <Changes created={created}>
            {changes.map((change) => (
              <Change key={change.field} change={change} created={created} labels={labels} />
            ))}
          </Changes>
        )}
      </div>
    </article>
  );
}
