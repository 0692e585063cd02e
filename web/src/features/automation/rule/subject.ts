/** What the words of a rule can speak of: the record's fields, one link further, and what earlier steps gave. */
import { useQueries, useQuery } from '@tanstack/react-query';
import { createContext, use, useMemo } from 'react';
import { entityQuery } from '@/api/meta';
import type { EntityMeta, FieldMeta } from '@/api/types';
import { isFilterable } from '@/records/filter/model';

/** A field as a rule names it: its own, or one behind a link. */
export interface Path {
  path: string;
  field: FieldMeta;
  label: string;
  /** The entity the field is of, for its states. */
  owner: EntityMeta;
}

export interface PathGroup {
  /** The link it stands behind; null for the record's own fields. */
  via: FieldMeta | null;
  paths: Path[];
}

export interface Subject {
  entity: EntityMeta | undefined;
  groups: PathGroup[];
}

const NOTHING: Subject = { entity: undefined, groups: [] };

const SubjectContext = createContext<Subject>(NOTHING);
export const SubjectProvider = SubjectContext;

export function useSubject(): Subject {
  return use(SubjectContext);
}

/** Types whose content nobody compares or writes into a text. */
const UNSPOKEN = ['password', 'secret', 'json', 'children', 'file', 'image'];

function speaks(field: FieldMeta): boolean {
  return isFilterable(field) && !UNSPOKEN.includes(field.type);
}

function pathsOf(entity: EntityMeta, via: FieldMeta | null): Path[] {
  return entity.fields.filter(speaks).map((field) => ({
    path: via ? `${via.name}.${field.name}` : field.name,
    label: via ? `${via.label} › ${field.label}` : field.label,
    field,
    owner: entity,
  }));
}

export function useSubjectOf(name: string | undefined): Subject {
  const { data: entity } = useQuery({ ...entityQuery(name ?? ''), enabled: name !== undefined });
  const links = useMemo(
    () => (entity?.fields ?? []).filter((field) => field.type === 'link' && speaks(field)),
    [entity],
  );
  const targets = [...new Set(links.map((field) => (field.type === 'link' ? field.to : '')))];
  const known = useQueries({
    queries: targets.map((target) => entityQuery(target)),
    combine: (answers) => answers.map(({ data }) => data),
  });
  return useMemo(() => {
    if (!entity) {
      return NOTHING;
    }
    const behind = links.flatMap((via): PathGroup[] => {
      const target = known.find((found) => via.type === 'link' && found?.name === via.to);
      return target ? [{ via, paths: pathsOf(target, via) }] : [];
    });
    return { entity, groups: [{ via: null, paths: pathsOf(entity, null) }, ...behind] };
  }, [entity, links, known]);
}

export function findPath(subject: Subject, path: string): Path | undefined {
  return subject.groups.flatMap(({ paths }) => paths).find((one) => one.path === path);
}
