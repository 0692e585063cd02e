/**
 * A rule as the simple editor holds it: the very JSON that is stored, changed by plain functions. What the
 * editor does not know of it (a newer server's) stays as it is.
 */
import type { Condition } from '@/api/types';

export interface Trigger {
  type: string;
  entity?: string;
  [input: string]: unknown;
}

export interface Step {
  type: string;
  id?: string;
  name?: string;
  params?: Record<string, unknown>;
  [other: string]: unknown;
}

/** What is offered: events of a record, then those by time. A server may name more. */
export const TRIGGERS = [
  'record_created',
  'record_updated',
  'state_changed',
  'record_deleted',
  'record_restored',
  'inactivity_delay',
  'deadline',
  'scheduled',
  'manual',
] as const;

/** Names of the CRM that say entity and event at once. */
const KIN: Record<string, { type: string; entity: string }> = {
  organisation_created: { type: 'record_created', entity: 'organisation' },
  organisation_updated: { type: 'record_updated', entity: 'organisation' },
  deal_created: { type: 'record_created', entity: 'deal' },
  deal_updated: { type: 'record_updated', entity: 'deal' },
  deal_stage_changed: { type: 'state_changed', entity: 'deal' },
};

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function readTrigger(value: unknown): Trigger {
  if (!isObject(value) || typeof value.type !== 'string') {
    return { type: 'record_created' };
  }
  return { ...value, ...KIN[value.type] } as Trigger;
}

/** Another event keeps what fits it too: the entity, and nothing of what only the old one asks. */
export function withType(trigger: Trigger, type: string): Trigger {
  const next: Trigger = type === 'scheduled' ? { type, frequency: 'daily', at: '08:00' } : { type };
  return trigger.entity === undefined || type === 'scheduled' ? next : { ...next, entity: trigger.entity };
}

/** Empty inputs are left out, so that the rule reads as if they had never been asked for. */
export function withInput(trigger: Trigger, name: string, value: unknown): Trigger {
  const { [name]: _old, ...rest } = trigger;
  const empty = value === null || value === undefined || (Array.isArray(value) && value.length === 0);
  return (empty ? rest : { ...rest, [name]: value }) as Trigger;
}

export function texts(value: unknown): string[] {
  const list = Array.isArray(value) ? value : [value];
  return list.filter((entry): entry is string => typeof entry === 'string');
}

export function readSteps(value: unknown): Step[] {
  return Array.isArray(value)
    ? value.filter((step): step is Step => isObject(step) && typeof step.type === 'string')
    : [];
}

/** What the engine calls a step that has no name of its own: by its place. */
export function stepId(step: Step, place: number): string {
  return step.id ?? `action_${place + 1}`;
}

/** Before steps change places each gets its name for good: later texts may speak of what it gave. */
function named(steps: Step[]): Step[] {
  return steps.map((step, place) => ({ ...step, id: stepId(step, place) }));
}

function freeId(steps: Step[]): string {
  const taken = new Set(steps.map(stepId));
  let number = steps.length + 1;
  while (taken.has(`action_${number}`)) {
    number += 1;
  }
  return `action_${number}`;
}

export function addStep(steps: Step[], type: string): Step[] {
  const all = named(steps);
  return [...all, { id: freeId(all), type, params: {} }];
}

export function copyStep(steps: Step[], place: number): Step[] {
  const all = named(steps);
  const step = all[place];
  if (!step) {
    return steps;
  }
  const copy = { ...structuredClone(step), id: freeId(all) };
  return [...all.slice(0, place + 1), copy, ...all.slice(place + 1)];
}

export function removeStep(steps: Step[], place: number): Step[] {
  return named(steps).filter((_step, at) => at !== place);
}

export function moveStep(steps: Step[], from: number, to: number): Step[] {
  const all = named(steps);
  const [step] = all.splice(from, 1);
  if (!step || to < 0 || to > all.length) {
    return steps;
  }
  return all.toSpliced(to, 0, step);
}

export function changeStep(steps: Step[], place: number, change: Partial<Step>): Step[] {
  return steps.map((step, at) => {
    if (at !== place) {
      return step;
    }
    const next = Object.entries({ ...step, ...change }).filter(([, value]) => value !== undefined);
    return Object.fromEntries(next) as Step;
  });
}

export function withParam(params: Record<string, unknown>, name: string, value: unknown) {
  const { [name]: _old, ...rest } = params;
  const empty = value === null || value === undefined || value === '';
  return empty ? rest : { ...rest, [name]: value };
}

/** Whether what is stored is a condition this editor can draw; null and lists stand for all of their parts. */
export function readConditions(value: unknown): Condition & ({ all: Condition[] } | { any: Condition[] }) {
  if (Array.isArray(value)) {
    return { all: value as Condition[] };
  }
  if (isObject(value)) {
    if (Array.isArray(value.all)) {
      return { all: value.all as Condition[] };
    }
    if (Array.isArray(value.any)) {
      return { any: value.any as Condition[] };
    }
    if ('not' in value || 'field' in value) {
      return { all: [value as Condition] };
    }
  }
  return { all: [] };
}

/** No condition is stored as none. */
export function writeConditions(condition: Condition): Condition | null {
  const parts = partsOf(condition);
  return parts?.length === 0 ? null : condition;
}

export function partsOf(condition: Condition): Condition[] | null {
  if ('all' in condition) {
    return condition.all;
  }
  return 'any' in condition ? condition.any : null;
}

/** The same group with other parts. */
export function withParts(condition: Condition, parts: Condition[]): Condition {
  return 'any' in condition ? { any: parts } : { all: parts };
}

/** The whole form, which this editor shows and does not take apart. */
export function isWhole(record: Record<string, unknown>): boolean {
  return Boolean(record.format) || (record.definition ?? null) !== null;
}

export const UNITS = ['m', 'h', 'd', 'w'] as const;
export type Unit = (typeof UNITS)[number];

const SPAN = /^\+?\s*(\d+)\s*(m|min|mins|minutes?|h|hrs?|hours?|d|days?|w|wks?|weeks?)$/i;

/** `2h`, `+3 days`: what a person sets with a number and a unit; anything else is typed as text. */
export function readSpan(text: string): { count: number; unit: Unit } | null {
  const found = SPAN.exec(text.trim());
  const unit = found?.[2]?.[0]?.toLowerCase();
  return found && UNITS.includes(unit as Unit) ? { count: Number(found[1]), unit: unit as Unit } : null;
}

export type Who =
  | { kind: 'person'; id: string }
  | { kind: 'role'; name: string }
  | { kind: 'group'; name: string }
  | { kind: 'text'; text: string };

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** People as a step names them: ids, addresses, roles, groups, and texts that lead to one. */
export function readPeople(value: unknown): Who[] {
  const list = Array.isArray(value) ? value : [value];
  return list.flatMap((entry): Who[] => {
    if (isObject(entry)) {
      if (typeof entry.role === 'string') {
        return [{ kind: 'role', name: entry.role }];
      }
      return typeof entry.group === 'string' ? [{ kind: 'group', name: entry.group }] : [];
    }
    if (typeof entry !== 'string' || entry.trim() === '') {
      return [];
    }
    return UUID.test(entry) ? [{ kind: 'person', id: entry }] : [{ kind: 'text', text: entry }];
  });
}

export function writePeople(people: Who[]): unknown {
  const list = people.map((who) => {
    switch (who.kind) {
      case 'person':
        return who.id;
      case 'role':
        return { role: who.name };
      case 'group':
        return { group: who.name };
      default:
        return who.text;
    }
  });
  return list.length > 0 ? list : null;
}

export function isTemplate(value: unknown): value is string {
  return typeof value === 'string' && value.includes('{{');
}

/** A text with a variable put in where the cursor stands. */
export function withVariable(text: string, at: number, variable: string): { text: string; cursor: number } {
  const inserted = `{{ ${variable} }}`;
  return { text: text.slice(0, at) + inserted + text.slice(at), cursor: at + inserted.length };
}

/** `send_email` where nobody has given it a name in words yet. */
export function readable(name: string): string {
  const words = name.replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}
