/** Where figures lead: the records they were counted from. */
import { linkOptions } from '@tanstack/react-router';
import type { Condition } from '@/api/types';

const OPEN: Condition = { field: 'status', op: 'in', value: ['OPEN', 'IN_PROGRESS'] };

/** Through which field a list reaches the dashboard or process that was counted. */
export interface Counted {
  dashboard?: string;
  process?: string | null;
}

function within({ dashboard, process }: Counted, path: string): Condition[] {
  if (dashboard !== undefined) {
    return [{ field: `${path}dashboard_id`, op: 'eq', value: dashboard }];
  }
  if (process === undefined) {
    return [];
  }
  const field = `${path}dashboard_id.process_name`;
  return [process === null ? { field, op: 'is_empty', value: true } : { field, op: 'eq', value: process }];
}

function list(collection: string, ...all: Condition[]) {
  const filter: Condition = { all };
  return linkOptions({ to: '/r/$collection', params: { collection }, search: { filter } });
}

/** Active indicators of a colour; without one, those that have no value. */
export function indicatorsOf(counted: Counted, status: 'GREEN' | 'ORANGE' | 'RED' | null) {
  const colour: Condition =
    status === null
      ? { field: 'latest_status', op: 'is_empty', value: true }
      : { field: 'latest_status', op: 'eq', value: status };
  const active: Condition = { field: 'is_active', op: 'eq', value: true };
  return list('kpis', ...within(counted, ''), active, colour);
}

/** Plans that are open or under way, or the late ones of them. */
export function plansOf(counted: Counted, late: boolean) {
  const due: Condition[] = late ? [{ field: 'due_date', op: 'lt', value: '@today' }] : [];
  return list('actions', ...within(counted, 'kpi_id.'), OPEN, ...due);
}

export function plansOfIndicator(kpi: string) {
  return list('actions', { field: 'kpi_id', op: 'eq', value: kpi }, OPEN);
}

export function indicator(id: string) {
  return linkOptions({ to: '/r/$collection/$id', params: { collection: 'kpis', id } });
}

export function dashboard(id: string) {
  return linkOptions({ to: '/r/$collection/$id', params: { collection: 'dashboards', id } });
}

export function plan(id: string) {
  return linkOptions({ to: '/r/$collection/$id', params: { collection: 'actions', id } });
}
