/** What each role gives, entity by entity and action by action, as the server compiled it. */
import { useQuery } from '@tanstack/react-query';
import { useDeferredValue, useId, useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { type GivenPermission, type MatrixRole, matrixQuery } from '@/api/access';
import { appMetaQuery } from '@/api/meta';
import { ProblemState } from '@/feedback/ProblemState';
import { folded } from '@/reader/fold';
import { cn } from '@/ui/cn';
import { EmptyState } from '@/ui/empty-state';
import { Input, Select } from '@/ui/input';
import { Skeleton } from '@/ui/skeleton';
import { CellDialog } from './CellDialog';
import { type Cell, widest } from './cell';

interface RowProps {
  label: string;
  collection: string;
  actions: string[];
  role: MatrixRole;
  onOpen: (cell: Cell) => void;
}

function cellText(permissions: GivenPermission[], t: (key: string) => string): string {
  const scope = widest(permissions);
  if (scope === null) {
    return '–';
  }
  const words = t(`access.scope_${scope}`);
  return permissions.every(({ condition }) => condition !== null) ? `${words} *` : words;
}

function Row({ label, collection, actions, role, onOpen }: RowProps) {
  const { t } = useTranslation();
  return (
    <tr className="border-b">
      <th
        scope="row"
        className="sticky left-0 z-10 max-w-56 truncate bg-background px-3 py-1 text-left font-normal max-sm:max-w-36"
      >
        {label}
      </th>
      {actions.map((action) => {
        const permissions = role.permissions.filter(
          (one) => one.collection === collection && one.action === action,
        );
        const text = role.everything ? t('access.scope_all') : cellText(permissions, t);
        const given = role.everything || permissions.length > 0;
        return (
          <td key={action} className="p-0.5">
            <button
              type="button"
              aria-label={t('access.cell', { label, action: t(`access.action_${action}`), scope: text })}
              className={cn(
                'min-h-7 w-full truncate rounded-sm px-2 text-left hover:bg-hover pointer-coarse:min-h-11',
                given ? 'bg-selected' : 'text-muted-foreground',
              )}
              onClick={() => onOpen({ role, collection, label, action, permissions })}
            >
              {text}
            </button>
          </td>
        );
      })}
    </tr>
  );
}

export function MatrixPage() {
  const { t } = useTranslation();
  const id = useId();
  const { data: matrix, error, refetch } = useQuery(matrixQuery);
  const { data: app } = useQuery(appMetaQuery);
  const [roleId, setRoleId] = useState<string | null>(null);
  const [text, setText] = useState('');
  const [open, setOpen] = useState<Cell | null>(null);
  const wanted = folded(useDeferredValue(text));
  const rows = useMemo(() => {
    const label = (collection: string) =>
      app?.entities.find((entity) => entity.collection === collection)?.label_plural ?? collection;
    const all = matrix?.collections.map((collection) => ({ collection, label: label(collection) })) ?? [];
    const found = all.filter((row) => folded(`${row.label} ${row.collection}`).includes(wanted));
    return found.sort((a, b) => a.label.localeCompare(b.label));
  }, [matrix, app, wanted]);
  if (error) {
    return <ProblemState error={error} onRetry={() => void refetch()} />;
  }
  const role = matrix?.roles.find(({ id }) => id === roleId) ?? matrix?.roles[0];
  return (
    <div className="flex h-full flex-col">
      <header className="flex flex-col gap-2 border-b px-4 py-3">
        <h1 className="text-lg font-semibold">{t('access.title')}</h1>
        <p className="text-muted-foreground">{t('access.help')}</p>
        <div className="flex flex-wrap gap-3">
          <div className="flex min-w-48 flex-col gap-1">
            <label htmlFor={`${id}-role`}>{t('access.role')}</label>
            <Select
              id={`${id}-role`}
              value={role?.id ?? ''}
              onChange={({ target }) => setRoleId(target.value)}
            >
              {matrix?.roles.map(({ id, name, system }) => (
                <option key={id} value={id}>
                  {system ? t('access.built_in', { name }) : name}
                </option>
              ))}
            </Select>
          </div>
          <div className="flex min-w-48 flex-1 flex-col gap-1 sm:max-w-80">
            <label htmlFor={`${id}-search`}>{t('access.search')}</label>
            <Input
              id={`${id}-search`}
              type="search"
              value={text}
              onChange={({ target }) => setText(target.value)}
            />
          </div>
        </div>
        {role?.everything && <p>{t('access.everything')}</p>}
      </header>
      {matrix && role ? (
        <section className="min-h-0 flex-1 overflow-auto" aria-label={t('access.title')}>
          <table className="w-full min-w-3xl border-collapse text-sm">
            <thead>
              <tr className="border-b">
                <th scope="col" className="sticky top-0 left-0 z-20 bg-background px-3 py-1.5 text-left">
                  {t('access.entity')}
                </th>
                {matrix.actions.map((action) => (
                  <th
                    key={action}
                    scope="col"
                    className="sticky top-0 z-10 bg-background px-2.5 py-1.5 text-left font-medium"
                  >
                    {t(`access.action_${action}`)}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {rows.map((row) => (
                <Row key={row.collection} {...row} actions={matrix.actions} role={role} onOpen={setOpen} />
              ))}
            </tbody>
          </table>
          {rows.length === 0 && <EmptyState title={t('access.nothing')} />}
        </section>
      ) : (
        <Skeleton className="m-4 h-64" />
      )}
      {open && <CellDialog cell={open} onClose={() => setOpen(null)} />}
    </div>
  );
}
