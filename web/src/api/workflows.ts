/** What the workflow engine serves besides its entities. */
import { queryOptions } from '@tanstack/react-query';
import { collections } from './client';
import type { Labels, RecordData } from './types';

/** How one thing that an action or a trigger is given is filled in; a newer server may know more kinds. */
export interface WorkflowInput {
  name: string;
  kind: string;
  required: boolean;
}

export interface Signature {
  name: string;
  inputs: WorkflowInput[];
}

interface Abilities {
  items: Signature[];
  /** Triggers besides those about records. */
  triggers?: Signature[];
}

/** What a step can do, and what it is given: the forms are drawn from it. */
export const abilitiesQuery = queryOptions({
  queryKey: ['workflow-abilities'],
  queryFn: ({ signal }) => collections.get<Abilities>('/workflows/actions/list', { signal }),
  staleTime: Number.POSITIVE_INFINITY,
});

export interface WorkflowStats {
  total: number;
  success: number;
  failed: number;
  skipped: number;
  cancelled: number;
  running: number;
  waiting: number;
  success_rate: number | null;
  average_duration_seconds: number | null;
}

/** Executions say nothing on the stream of changes, so what is still going on is asked for again. */
const PACE = 2_000;
const SLOW_PACE = 10_000;

export function statsQuery(workflow: string) {
  return queryOptions({
    queryKey: ['records', 'execution', 'stats', workflow],
    queryFn: ({ signal }) =>
      collections.get<WorkflowStats>(`/workflows/${encodeURIComponent(workflow)}/stats`, { signal }),
    refetchInterval: SLOW_PACE,
  });
}

export interface StepRun {
  id: string;
  place: string;
  name: string | null;
  kind: string;
  status: string;
  attempt: number | null;
  input: unknown;
  output: unknown;
  error: string | null;
  created_at: string;
  ended_at: string | null;
}

export interface Execution extends RecordData {
  workflow: string;
  status: string;
  attention: string | null;
  entity: string | null;
  record: string | null;
  subject: string | null;
  error: string | null;
  wake_at: string | null;
  started_at: string | null;
  ended_at: string | null;
  trigger: unknown;
  conditions: unknown;
  steps: StepRun[];
  /** Where it is among the steps of its workflow; null when that cannot be said. */
  progress: { step: number; of: number } | null;
  labels: Labels;
}

export function isGoingOn(status: unknown): boolean {
  return status === 'RUNNING' || status === 'WAITING';
}

export function executionQuery(workflow: string, id: string) {
  return queryOptions({
    queryKey: ['records', 'execution', 'steps', id],
    queryFn: ({ signal }) =>
      collections.get<Execution>(
        `/workflows/${encodeURIComponent(workflow)}/executions/${encodeURIComponent(id)}`,
        { signal },
      ),
    refetchInterval: ({ state }) => (state.data && !isGoingOn(state.data.status) ? false : PACE),
  });
}

export function activateWorkflow(id: string, active: boolean): Promise<unknown> {
  return collections.post(`/workflows/${encodeURIComponent(id)}/activate`, { active });
}

export function executeWorkflow(
  id: string,
  target: { entity: string; record_id: string } | null,
): Promise<RecordData> {
  return collections.post<RecordData>(`/workflows/${encodeURIComponent(id)}/execute`, target ?? {});
}

/** A step that failed is done again, or left out; the execution goes on from there. */
export function mendExecution(workflow: string, id: string, how: 'retry' | 'skip'): Promise<RecordData> {
  const execution = `/workflows/${encodeURIComponent(workflow)}/executions/${encodeURIComponent(id)}`;
  return collections.post<RecordData>(`${execution}/${how}`, {});
}

/** A workflow that a module brings ready to be taken. */
export interface ReadyWorkflow {
  id: string;
  module: string;
  name: string;
  description: string;
  icon: string | null;
}

export const readyWorkflowsQuery = queryOptions({
  queryKey: ['ready-workflows'],
  queryFn: ({ signal }) =>
    collections.get<{ items: ReadyWorkflow[] }>('/workflows/templates/list', { signal }),
  staleTime: Number.POSITIVE_INFINITY,
});

export function takeReadyWorkflow(id: string): Promise<RecordData> {
  return collections.post<RecordData>(`/workflows/templates/${encodeURIComponent(id)}/create`, {});
}

/** What a mail asks, for whoever has its link. */
export interface MailedQuestion {
  title: string;
  message: string | null;
  subject: string | null;
  status: string;
  stage: number | null;
  stages: number | null;
  due_at: string | null;
  requester: string | null;
  person: string | null;
  /** Whom one stands in for. */
  voice: string | null;
  open: boolean;
}

export function mailedQuestionQuery(token: string) {
  return queryOptions({
    queryKey: ['mailed-question', token],
    queryFn: ({ signal }) =>
      collections.get<MailedQuestion>(`/decisions/${encodeURIComponent(token)}`, { signal }),
    retry: false,
    refetchOnWindowFocus: false,
  });
}

export function decideByMail(token: string, decision: 'approve' | 'reject', comment: string) {
  return collections.post<MailedQuestion>(`/decisions/${encodeURIComponent(token)}`, {
    decision,
    ...(comment.trim() === '' ? {} : { comment: comment.trim() }),
  });
}

export function cancelExecution(id: string): Promise<unknown> {
  return collections.post(`/executions/${encodeURIComponent(id)}/cancel`);
}

export function decideApproval(id: string, decision: 'approve' | 'reject', comment: string) {
  return collections.post<RecordData>(
    `/approvals/${encodeURIComponent(id)}/${decision}`,
    comment.trim() === '' ? {} : { comment: comment.trim() },
  );
}
