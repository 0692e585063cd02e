/** “Why?”: who may do what with the open record, and which permission says so. */
import { useMutation, useQuery } from '@tanstack/react-query';
import { Check, Eye, Minus, X } from 'lucide-react';
import { useId, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { viewAs } from '@/api/access';
import { ACTIONS, type AskedAction, type Explanation, explanationQuery, type Reason } from '@/api/rights';
import type { EntityMeta, FieldMeta } from '@/api/types';
import { ProblemState } from '@/feedback/ProblemState';
import { problemText } from '@/feedback/problem-text';
import { failed } from '@/feedback/toasts';
import { FormField } from '@/records/form/FormField';
import { useTitles } from '@/records/link/search';
import { Button } from '@/ui/button';
import { cn } from '@/ui/cn';
import { Dialog, DialogContent } from '@/ui/dialog';
import { Select } from '@/ui/input';
import { Skeleton } from '@/ui/skeleton';
import { useRecordSession } from '../session';

/** What decided, in one sentence. */
function verdictKey(found: Explanation): string {
  if (!found.active) {
    return 'rights.inactive';
  }
  if (found.deleted === true) {
    return 'rights.deleted';
  }
  if (found.allowed !== true && found.owner === false) {
    return 'rights.owner';
  }
  if (found.administrator) {
    return 'rights.administrator';
  }
  if (found.reasons.length === 0) {
    return 'rights.no_permission';
  }
  return found.allowed ? 'rights.reached' : 'rights.not_reached';
}

function Verdict({ found }: { found: Explanation }) {
  const { t } = useTranslation();
  const Sign = found.allowed ? Check : X;
  return (
    <p
      role="status"
      className={cn(
        'flex items-start gap-2 rounded-md border px-3 py-2 [&_svg]:mt-0.5 [&_svg]:size-4 [&_svg]:shrink-0',
        found.allowed ? 'border-[hsl(var(--green-dot))]' : 'border-[hsl(var(--red-dot))]',
      )}
    >
      <Sign aria-hidden />
      <span>
        <strong className="font-semibold">{t(found.allowed ? 'rights.allowed' : 'rights.refused')}</strong>{' '}
        {t(verdictKey(found))}
      </span>
    </p>
  );
}

function reasonKey(reason: Reason): string {
  if (reason.shared) {
    return reason.reaches ? 'rights.shared_reaches' : 'rights.shared_misses';
  }
  return reason.reaches ? 'rights.reason_reaches' : 'rights.reason_misses';
}

interface ReasonLineProps {
  reason: Reason;
  company: string | undefined;
  group: string | undefined;
}

function ReasonLine({ reason, company, group }: ReasonLineProps) {
  const { t } = useTranslation();
  const Sign = reason.reaches ? Check : Minus;
  return (
    <li className="flex items-start gap-2 border-b py-2 last:border-b-0 [&_svg]:mt-0.5 [&_svg]:size-4 [&_svg]:shrink-0">
      <Sign aria-hidden className={reason.reaches ? undefined : 'text-muted-foreground'} />
      <div className="min-w-0">
        <p>
          {t(reasonKey(reason), { role: reason.role, scope: t(`rights.scope_${reason.scope}`) })}
          {group && <span className="text-muted-foreground"> · {t('rights.through', { group })}</span>}
          {company && <span className="text-muted-foreground"> · {company}</span>}
        </p>
        {reason.condition !== null && (
          <code className="block text-xs break-words text-muted-foreground">
            {JSON.stringify(reason.condition)}
          </code>
        )}
      </div>
    </li>
  );
}

/** The fields that are not simply written: those are what one asks about. */
function Fields({ found, entity }: { found: Explanation; entity: EntityMeta }) {
  const { t } = useTranslation();
  const label = (name: string) => entity.fields.find((field) => field.name === name)?.label ?? name;
  const limited = (['hidden', 'mask', 'read'] as const).flatMap((right) => {
    const names = Object.keys(found.fields).filter((name) => found.fields[name] === right);
    return names.length > 0 ? [{ right, names }] : [];
  });
  if (limited.length === 0) {
    return null;
  }
  return (
    <dl className="flex flex-col gap-1.5">
      {limited.map(({ right, names }) => (
        <div key={right}>
          <dt className="text-xs text-muted-foreground">{t(`rights.fields_${right}`)}</dt>
          <dd>{names.map(label).join(', ')}</dd>
        </div>
      ))}
    </dl>
  );
}

function Explained({ user, action }: { user: string; action: AskedAction }) {
  const { entity, page } = useRecordSession();
  const { collection } = entity;
  const { data: found, error } = useQuery(
    explanationQuery({ user, collection, record: page.record.id, action }),
  );
  const companies = found?.reasons.flatMap(({ company }) => company ?? []) ?? [];
  const titles = useTitles('company', [...new Set(companies)]);
  const groups = found?.reasons.flatMap(({ group }) => group ?? []) ?? [];
  const groupTitles = useTitles('group', [...new Set(groups)]);
  if (error) {
    return <ProblemState error={error} />;
  }
  if (!found) {
    return <Skeleton className="h-24" />;
  }
  return (
    <>
      <Verdict found={found} />
      <ul>
        {found.reasons.map((reason) => (
          <ReasonLine
            key={[reason.role, reason.scope, reason.company, reason.group, ...reason.departments].join(' ')}
            reason={reason}
            group={reason.group === null ? undefined : groupTitles[reason.group]}
            company={reason.company === null ? undefined : titles[reason.company]}
          />
        ))}
      </ul>
      <Fields found={found} entity={entity} />
    </>
  );
}

export function RightsDialog({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation();
  const id = useId();
  const [user, setUser] = useState<string | null>(null);
  const [action, setAction] = useState<AskedAction>('view');
  const view = useMutation({
    mutationFn: viewAs,
    onError: (error) => failed(t('viewing.failed'), problemText(error, t)),
  });
  const person = { name: 'user', type: 'link', to: 'user', label: t('rights.person') } as FieldMeta;
  return (
    <Dialog open onOpenChange={(open) => !open && onClose()}>
      <DialogContent
        title={t('rights.title')}
        description={t('rights.help')}
        closeLabel={t('action.close')}
        bodyClassName="flex min-h-72 flex-col gap-3 p-4"
      >
        <div className="grid gap-3 sm:grid-cols-[1fr_10rem]">
          <FormField
            field={person}
            id={`${id}-user`}
            value={user}
            labels={{}}
            states={[]}
            required={false}
            onChange={(value) => setUser(typeof value === 'string' ? value : null)}
            onProblem={() => undefined}
          />
          <div className="flex flex-col gap-1">
            <label htmlFor={`${id}-action`}>{t('rights.action')}</label>
            <Select
              id={`${id}-action`}
              value={action}
              onChange={({ target }) => setAction(target.value as AskedAction)}
            >
              {ACTIONS.map((name) => (
                <option key={name} value={name}>
                  {t(`rights.action_${name}`)}
                </option>
              ))}
            </Select>
          </div>
        </div>
        {user !== null && <Explained user={user} action={action} />}
        {user !== null && (
          <div className="mt-auto flex flex-wrap items-center justify-between gap-2 border-t pt-3">
            <p className="text-muted-foreground">{t('viewing.help')}</p>
            <Button disabled={view.isPending} onClick={() => view.mutate(user)}>
              <Eye aria-hidden /> {t('viewing.begin')}
            </Button>
          </div>
        )}
      </DialogContent>
    </Dialog>
  );
}
