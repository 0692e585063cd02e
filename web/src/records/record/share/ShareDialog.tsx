/** With whom the open record is shared; who may change the record shares it and takes it back. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { UserRound, Users, X } from 'lucide-react';
import { useId, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { changeLevel, LEVELS, type Level, type Share, share, sharesQuery, takeBack } from '@/api/shares';
import type { FieldMeta } from '@/api/types';
import { ProblemState } from '@/feedback/ProblemState';
import { problemText } from '@/feedback/problem-text';
import { FormField } from '@/records/form/FormField';
import { Button } from '@/ui/button';
import { Dialog, DialogContent } from '@/ui/dialog';
import { Select } from '@/ui/input';
import { Skeleton } from '@/ui/skeleton';
import { useRecordSession } from '../session';

const KINDS = ['user', 'group'] as const;
type Kind = (typeof KINDS)[number];

function LevelSelect(props: { id?: string; label?: string; value: Level; onChange: (level: Level) => void }) {
  const { t } = useTranslation();
  return (
    <Select
      id={props.id}
      aria-label={props.label}
      value={props.value}
      onChange={({ target }) => props.onChange(target.value as Level)}
    >
      {LEVELS.map((level) => (
        <option key={level} value={level}>
          {t(`share.level_${level}`)}
        </option>
      ))}
    </Select>
  );
}

function useShares() {
  const { entity, page } = useRecordSession();
  const client = useQueryClient();
  const query = sharesQuery(entity.name, page.record.id);
  const { data, error } = useQuery(query);
  const settled = () => client.invalidateQueries({ queryKey: query.queryKey });
  return { data, error, settled, entity: entity.name, id: page.record.id, mayShare: page.can.edit };
}

function ShareLine({ one, name, mayShare }: { one: Share; name: string; mayShare: boolean }) {
  const { t } = useTranslation();
  const { settled } = useShares();
  const change = useMutation({
    mutationFn: (level: Level) => changeLevel(one, level),
    onSettled: settled,
  });
  const remove = useMutation({ mutationFn: () => takeBack(one), onSettled: settled });
  const Sign = one.group === null ? UserRound : Users;
  const problem = change.error ?? remove.error;
  return (
    <li className="border-b py-1.5 last:border-b-0">
      <div className="flex items-center gap-2">
        <Sign aria-hidden className="size-4 shrink-0 text-muted-foreground" />
        <span className="min-w-0 flex-1 truncate">{name}</span>
        {mayShare ? (
          <span className="flex shrink-0 items-center gap-1">
            <LevelSelect
              label={t('share.level_of', { name })}
              value={one.level}
              onChange={(level) => change.mutate(level)}
            />
            <Button
              variant="ghost"
              size="icon"
              aria-label={t('share.take_back', { name })}
              title={t('share.take_back', { name })}
              disabled={remove.isPending}
              onClick={() => remove.mutate()}
            >
              <X aria-hidden />
            </Button>
          </span>
        ) : (
          <span className="shrink-0 text-muted-foreground">{t(`share.level_${one.level}`)}</span>
        )}
      </div>
      {problem && (
        <p role="alert" className="text-danger">
          {problemText(problem, t)}
        </p>
      )}
    </li>
  );
}

function NewShare() {
  const { t } = useTranslation();
  const id = useId();
  const { settled, entity, id: record } = useShares();
  const [kind, setKind] = useState<Kind>('user');
  const [whom, setWhom] = useState<string | null>(null);
  const [level, setLevel] = useState<Level>('view');
  const add = useMutation({
    mutationFn: (whom: string) => share({ entity, id: record, with: kind, whom, level }),
    onSuccess: () => setWhom(null),
    onSettled: settled,
  });
  const field = { name: kind, type: 'link', to: kind, label: t(`share.with_${kind}`) } as FieldMeta;
  return (
    <form
      className="flex flex-col gap-2 border-b pb-3"
      onSubmit={(event) => {
        event.preventDefault();
        if (whom !== null) {
          add.mutate(whom);
        }
      }}
    >
      <div className="flex flex-col gap-1">
        <label htmlFor={`${id}-kind`}>{t('share.with')}</label>
        <Select
          id={`${id}-kind`}
          value={kind}
          onChange={({ target }) => {
            setKind(target.value as Kind);
            setWhom(null);
          }}
        >
          {KINDS.map((name) => (
            <option key={name} value={name}>
              {t(`share.kind_${name}`)}
            </option>
          ))}
        </Select>
      </div>
      <FormField
        key={kind}
        field={field}
        id={`${id}-whom`}
        value={whom}
        labels={{}}
        states={[]}
        required={false}
        onChange={(value) => setWhom(typeof value === 'string' ? value : null)}
        onProblem={() => undefined}
      />
      <div className="flex items-end gap-2">
        <div className="flex min-w-0 flex-1 flex-col gap-1">
          <label htmlFor={`${id}-level`}>{t('share.level')}</label>
          <LevelSelect id={`${id}-level`} value={level} onChange={setLevel} />
        </div>
        <Button type="submit" variant="primary" disabled={whom === null || add.isPending}>
          {t('share.add')}
        </Button>
      </div>
      {add.error && (
        <p role="alert" className="text-danger">
          {problemText(add.error, t)}
        </p>
      )}
    </form>
  );
}

function SharedWith() {
  const { t } = useTranslation();
  const { data, error, mayShare } = useShares();
  if (error) {
    return <ProblemState error={error} />;
  }
  if (!data) {
    return <Skeleton className="h-16" />;
  }
  if (data.items.length === 0) {
    return <p className="text-muted-foreground">{t('share.nobody')}</p>;
  }
  const name = (one: Share) => data.labels?.[one.user ?? one.group ?? ''] ?? t('share.unknown');
  return (
    <>
      <ul aria-label={t('share.shared_with')}>
        {data.items.map((one) => (
          <ShareLine key={one.id} one={one} name={name(one)} mayShare={mayShare} />
        ))}
      </ul>
      {data.next_cursor !== null && (
        <p className="text-muted-foreground">{t('share.more', { count: data.items.length })}</p>
      )}
    </>
  );
}

export function ShareDialog({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation();
  const { page } = useRecordSession();
  return (
    <Dialog open onOpenChange={(open) => !open && onClose()}>
      <DialogContent
        title={t('share.title')}
        description={t(page.can.edit ? 'share.help' : 'share.help_readonly')}
        closeLabel={t('action.close')}
        bodyClassName="flex min-h-48 flex-col gap-3 p-4"
      >
        {page.can.edit && <NewShare />}
        <SharedWith />
      </DialogContent>
    </Dialog>
  );
}
