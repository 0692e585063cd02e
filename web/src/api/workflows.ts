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

export function cancelExecution(id: string): Promise<unknown> {
  return collections.post(`/executions/${encodeURIComponent(id)}/cancel`);
}

export function decideApproval(id: string, decision: 'approve' | 'reject', comment: string) {
  return collections.post<RecordData>(
    `/approvals/${encodeURIComponent(id)}/${decision}`,
    comment.trim() === '' ? {} : { comment: comment.trim() },
  );
}
