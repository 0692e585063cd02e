/** One cell of the matrix: a role, a kind of record, an action. */
import type { GivenPermission, MatrixRole } from '@/api/access';

export interface Cell {
  role: MatrixRole;
  collection: string;
  label: string;
  action: string;
  permissions: GivenPermission[];
}

/** Widest first. */
export const SCOPES = ['all', 'company', 'department', 'own'] as const;
export type Scope = (typeof SCOPES)[number];

/** The widest scope of some permissions; those without a condition before those with one. */
export function widest(permissions: GivenPermission[]): Scope | null {
  const whole = permissions.filter(({ condition }) => condition === null);
  const counted = whole.length > 0 ? whole : permissions;
  return SCOPES.find((scope) => counted.some((one) => one.scope === scope)) ?? null;
}

/** A permission as a role keeps it. */
export interface PermissionLine {
  app: string;
  action: string;
  scope: string;
  condition: { [key: string]: unknown } | null;
}

/** What a role gives itself, with one cell changed; conditions of that cell are left as they are. */
export function changedLines(role: MatrixRole, cell: Cell, scope: Scope | null): PermissionLine[] {
  const own = role.permissions.filter(({ from, declared }) => from === role.name && !declared);
  const kept = own.filter(
    ({ collection, action, condition }) =>
      collection !== cell.collection || action !== cell.action || condition !== null,
  );
  const lines = kept.map(({ collection, action, scope, condition }) => ({
    app: collection,
    action,
    scope,
    condition,
  }));
  if (scope === null) {
    return lines;
  }
  return [...lines, { app: cell.collection, action: cell.action, scope, condition: null }];
}
