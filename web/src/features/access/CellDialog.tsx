/** The permissions behind one cell; for a role made here, what changing it would do, before it is done. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useId, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { type Difference, type GivenPermission, matrixQuery, previewQuery } from '@/api/access';
import { collections } from '@/api/client';
import { appMetaQuery } from '@/api/meta';
import { ProblemState } from '@/feedback/ProblemState';
import { problemText } from '@/feedback/problem-text';
import { told } from '@/feedback/toasts';
import { Button } from '@/ui/button';
import { Dialog, DialogContent } from '@/ui/dialog';
import { Select } from '@/ui/input';
import { Skeleton } from '@/ui/skeleton';
import { type Cell, changedLines, SCOPES, type Scope, widest } from './cell';

function PermissionLines({ permissions }: { permissions: GivenPermission[] }) {
  const { t } = useTranslation();
  if (permissions.length === 0) {
    return <p className="text-muted-foreground">{t('access.none')}</p>;
  }
  return (
    <ul className="flex flex-col gap-1">
      {permissions.map((one) => (
        <li key={[one.from, one.scope, JSON.stringify(one.condition)].join(' ')}>
          {t('access.given', { scope: t(`access.scope_${one.scope}`), role: one.from })}
          {one.condition !== null && (
            <code className="block text-xs break-words text-muted-foreground">
              {JSON.stringify(one.condition)}
            </code>
          )}
        </li>
      ))}
    </ul>
  );
}

function useSentence() {
  const { t } = useTranslation();
  const { data: app } = useQuery(appMetaQuery);
  return (one: GivenPermission) =>
    t('access.sentence', {
      action: t(`access.action_${one.action}`),
      label:
        app?.entities.find(({ collection }) => collection === one.collection)?.label_plural ?? one.collection,
      scope: t(`access.scope_${one.scope}`),
    });
}

function Changes({ title, lines }: { title: string; lines: GivenPermission[] }) {
  const sentence = useSentence();
  if (lines.length === 0) {
    return null;
  }
  return (
    <div>
      <h3 className="font-medium">{title}</h3>
      <ul className="list-disc pl-5">
        {lines.map((one) => (
          <li key={[one.collection, one.action, one.scope, JSON.stringify(one.condition)].join(' ')}>
            {sentence(one)}
          </li>
        ))}
      </ul>
    </div>
  );
}

function DifferenceShown({ found }: { found: Difference }) {
  const { t } = useTranslation();
  const nothing = found.gives.length + found.takes.length + found.fields.length === 0;
  return (
    <div role="status" className="flex flex-col gap-2 rounded-md border px-3 py-2">
      {nothing && <p>{t('access.no_difference')}</p>}
      <Changes title={t('access.gives')} lines={found.gives} />
      <Changes title={t('access.takes')} lines={found.takes} />
      <p className="font-medium">{t('access.people', { count: found.people })}</p>
    </div>
  );
}

function Change({ cell, onDone }: { cell: Cell; onDone: () => void }) {
  const { t } = useTranslation();
  const id = useId();
  const client = useQueryClient();
  const own = cell.permissions.filter(({ from, declared }) => from === cell.role.name && !declared);
  const before = widest(own.filter(({ condition }) => condition === null));
  const [scope, setScope] = useState<Scope | null>(before);
  const permissions = changedLines(cell.role, cell, scope);
  const changed = scope !== before;
  const preview = useQuery({
    ...previewQuery({ role: cell.role.id, permissions }),
    enabled: changed,
  });
  const save = useMutation({
    mutationFn: () => collections.patch(`/roles/${cell.role.id}`, { permissions }),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: matrixQuery.queryKey });
      told(t('access.saved', { role: cell.role.name }));
      onDone();
    },
  });
  return (
    <form
      className="flex flex-col gap-3 border-t pt-3"
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate();
      }}
    >
      <div className="flex flex-col gap-1">
        <label htmlFor={`${id}-scope`}>{t('access.change', { role: cell.role.name })}</label>
        <Select
          id={`${id}-scope`}
          value={scope ?? ''}
          onChange={({ target }) => setScope(target.value === '' ? null : (target.value as Scope))}
        >
          <option value="">{t('access.not_allowed')}</option>
          {SCOPES.map((name) => (
            <option key={name} value={name}>
              {t(`access.scope_${name}`)}
            </option>
          ))}
        </Select>
      </div>
      {changed && preview.isPending && <Skeleton className="h-16" />}
      {changed && preview.error && <ProblemState error={preview.error} />}
      {changed && preview.data && <DifferenceShown found={preview.data} />}
      {save.error && (
        <p role="alert" className="text-danger">
          {problemText(save.error, t)}
        </p>
      )}
      <div className="flex justify-end gap-2">
        <Button onClick={onDone}>{t('action.cancel')}</Button>
        {/* What it does is read before it is done. */}
        <Button type="submit" variant="primary" disabled={!changed || !preview.isSuccess || save.isPending}>
          {t('access.save')}
        </Button>
      </div>
    </form>
  );
}

export function CellDialog({ cell, onClose }: { cell: Cell; onClose: () => void }) {
  const { t } = useTranslation();
  const { role, label, action, permissions } = cell;
  return (
    <Dialog open onOpenChange={(open) => !open && onClose()}>
      <DialogContent
        title={t('access.cell_title', { role: role.name, action: t(`access.action_${action}`), label })}
        closeLabel={t('action.close')}
        bodyClassName="flex flex-col gap-3 p-4"
      >
        {role.everything ? <p>{t('access.everything')}</p> : <PermissionLines permissions={permissions} />}
        {role.system ? (
          <p className="text-muted-foreground">{t('access.system')}</p>
        ) : (
          <Change cell={cell} onDone={onClose} />
        )}
        <Link
          to="/r/$collection/$id"
          params={{ collection: 'roles', id: role.id }}
          className="text-accent-text underline underline-offset-2"
        >
          {t('access.open_role')}
        </Link>
      </DialogContent>
    </Dialog>
  );
}
