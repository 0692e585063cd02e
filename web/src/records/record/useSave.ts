/** Sends what was changed, in one PATCH, and knows what to do with each answer. */
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { activityKeys } from '@/api/activity';
import { decodeValue } from '@/api/json';
import { fieldNamed } from '@/api/meta';
import { isProblem, type Problem } from '@/api/problem';
import { putRecords } from '@/api/record-cache';
import { recordKeys, recordQuery, updateRecord } from '@/api/records';
import type { EntityMeta, FieldConflict, RecordPage } from '@/api/types';
import { told } from '@/feedback/toasts';
import type { Errors } from '@/records/form/useErrors';
import { decided, patchBase, type Side, withoutSaved } from './buffer';
import type { Edit } from './useEdit';

/** What the person must answer before the save can go on. */
export type Question =
  | { kind: 'conflict'; conflicts: FieldConflict[]; changes: Record<string, unknown> }
  | { kind: 'confirm'; title: string; text: string; verb: string; confirm: () => Promise<boolean> };

interface SaveSource {
  entity: EntityMeta;
  page: RecordPage;
  /** As the record is called in the address: its id or its number. */
  reference: string;
  edit: Edit;
  errors: Errors;
}

export function useSave({ entity, page, reference, edit, errors }: SaveSource) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [pending, setPending] = useState(false);
  const [saves, setSaves] = useState(0);
  const [question, setQuestion] = useState<Question | null>(null);
  const { record } = page;
  const readAgain = () => client.fetchQuery({ ...recordQuery(entity, reference), staleTime: 0 });

  const accept = (saved: RecordPage, sent: Record<string, unknown>) => {
    client.setQueryData(recordKeys.record(entity.name, reference), saved);
    putRecords(client, entity.name, [saved.record], saved.labels);
    edit.setBuffer((current) => withoutSaved(current, sent, saved.record, entity.fields));
    errors.clear();
    setSaves((count) => count + 1);
    told(t('record.saved'));
    void client.invalidateQueries({ queryKey: activityKeys.history(entity.name, record.id) });
  };

  /** What the button says that goes on: the move, where the question is about one. */
  const verbOf = (changes: Record<string, unknown>): string => {
    const target = entity.states.find(({ value }) => value === changes[entity.state_field ?? '']);
    return target ? t('record.move', { state: target.label }) : t('record.confirm');
  };

  const refuseState = async (problem: Problem) => {
    const labels = (problem.document.allowed ?? []).map(
      (value) => entity.states.find((state) => state.value === value)?.label ?? value,
    );
    const text =
      labels.length > 0 ? t('record.state_refused', { allowed: labels.join(', ') }) : t('record.state_final');
    errors.report({ fields: { [entity.state_field ?? '']: text }, inside: {}, other: [] });
    // The move was offered, so the state on screen is not the one it has.
    await readAgain().catch(() => undefined);
  };

  const refuse = async (error: unknown, changes: Record<string, unknown>): Promise<void> => {
    if (!isProblem(error)) {
      errors.refuse(error);
      return;
    }
    if (error.conflicts.length > 0) {
      const conflicts = error.conflicts.map((conflict): FieldConflict => {
        const field = fieldNamed(entity, conflict.field);
        const read = (value: unknown) => (field ? decodeValue(field, value) : value);
        return {
          field: conflict.field,
          base: read(conflict.base),
          yours: read(conflict.yours),
          theirs: read(conflict.theirs),
        };
      });
      await readAgain().catch(() => undefined);
      setQuestion({ kind: 'conflict', conflicts, changes });
      return;
    }
    const token = error.document.confirm_token;
    if (error.code === 'confirmation_required' && token) {
      const { title, detail } = error.document;
      setQuestion({
        kind: 'confirm',
        title,
        text: detail ?? '',
        verb: verbOf(changes),
        confirm: () => {
          setQuestion(null);
          return send(changes, token);
        },
      });
      return;
    }
    if (error.code === 'state_not_allowed') {
      await refuseState(error);
      return;
    }
    errors.refuse(error);
  };

  /** Answers whether it was saved. */
  const send = async (changes: Record<string, unknown>, token?: string, base?: number): Promise<boolean> => {
    setPending(true);
    try {
      const version = base ?? patchBase(edit.buffer, record, entity.fields);
      accept(await updateRecord(entity, reference, version, changes, token), changes);
      return true;
    } catch (error) {
      await refuse(error, changes);
      return false;
    } finally {
      setPending(false);
    }
  };

  /** Everything that was changed, together with what an act (a move to another state) sets. */
  const save = async (act: Record<string, unknown> = {}): Promise<boolean> => {
    const changes = { ...edit.buffer?.changes, ...act };
    if (pending || Object.keys(changes).length === 0) {
      return false;
    }
    const sent = entity.fields.filter(({ name }) => name in changes);
    return errors.check(sent, changes) ? send(changes) : false;
  };

  /** Sends again what is left once each conflict has been given to one side. */
  const decide = async (choices: Record<string, Side>): Promise<void> => {
    if (question?.kind !== 'conflict') {
      return;
    }
    const kept = Object.entries(question.changes).filter(([name]) => choices[name] !== 'theirs');
    setQuestion(null);
    edit.setBuffer((current) => current && decided(current, record, choices));
    if (kept.length > 0) {
      await send(Object.fromEntries(kept), undefined, record.version);
    } else {
      told(t('record.theirs_kept'));
    }
  };

  return {
    save,
    decide,
    pending,
    /** How often it was saved since it is on screen. */
    saves,
    question,
    /** Shows both sides before the server asks for it. */
    compare: () =>
      setQuestion({ kind: 'conflict', conflicts: edit.overlaps, changes: edit.buffer?.changes ?? {} }),
    leaveQuestion: () => setQuestion(null),
  };
}

export type Save = ReturnType<typeof useSave>;
