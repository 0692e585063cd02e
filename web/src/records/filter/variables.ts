/** Values that stand for the reader and the moment. */

/** The variable that fits a link, by the entity it points to. */
const FOR_LINKS: Record<string, string> = {
  user: '@me',
  department: '@my_departments',
  group: '@my_groups',
};

export function variableFor(entity: string): string | undefined {
  return FOR_LINKS[entity];
}

/** `@my_groups` → the key of its text. */
export function variableTextKey(variable: string): string {
  return `filter.variable.${variable.slice(1)}`;
}

export const KNOWN_VARIABLES = ['@me', '@my_departments', '@my_groups', '@today', '@now'];
