/** Why an execution went on or did not: each condition with what was found, what was asked, and the verdict. */

export interface Told {
  field: string;
  op: string;
  value: unknown;
  found: unknown;
  holds: boolean;
}

export type Verdict =
  | { kind: 'test'; told: Told; holds: boolean }
  | { kind: 'all' | 'any' | 'not'; parts: Verdict[]; holds: boolean };

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Null where nothing was asked. */
export function readVerdict(value: unknown): Verdict | null {
  if (!isObject(value)) {
    return null;
  }
  const holds = value.holds === true;
  if (typeof value.field === 'string') {
    const { field, op, value: wanted, found } = value;
    return { kind: 'test', told: { field, op: String(op), value: wanted, found, holds }, holds };
  }
  for (const kind of ['all', 'any'] as const) {
    const list = value[kind];
    if (Array.isArray(list)) {
      const parts = list.map(readVerdict).filter((part) => part !== null);
      return parts.length > 0 ? { kind, parts, holds } : null;
    }
  }
  const inner = readVerdict(value.not);
  return inner && { kind: 'not', parts: [inner], holds };
}
