import { describe, expect, it } from 'vitest';
import en from '@/locales/en.json';
import es from '@/locales/es.json';
import fr from '@/locales/fr.json';
import kpiEn from '@/locales/kpi/en.json';
import kpiEs from '@/locales/kpi/es.json';
import kpiFr from '@/locales/kpi/fr.json';
import kpiPt from '@/locales/kpi/pt.json';
import pt from '@/locales/pt.json';

type Node = string | { [key: string]: Node };

/** `rows_one`, `rows_many`, `rows_other` are one text; which forms exist depends on the language. */
function texts(
  node: Node,
  language: string,
  path = '',
): Map<string, { forms: Set<string>; variables: Set<string> }> {
  const found = new Map<string, { forms: Set<string>; variables: Set<string> }>();
  if (typeof node === 'string') {
    const [, key = path, form = ''] = /^(.*?)(?:_(zero|one|two|few|many|other))?$/.exec(path) ?? [];
    const variables = new Set([...node.matchAll(/\{\{\s*(\w+)/g)].map((match) => match[1] ?? ''));
    found.set(key, { forms: new Set([form]), variables });
    return found;
  }
  for (const [name, child] of Object.entries(node)) {
    for (const [key, text] of texts(child, language, path ? `${path}.${name}` : name)) {
      const known = found.get(key);
      found.set(key, {
        forms: new Set([...(known?.forms ?? []), ...text.forms]),
        variables: new Set([...(known?.variables ?? []), ...text.variables]),
      });
    }
  }
  return found;
}

/** Those of the first load, and those that come with the pages of a feature. */
const catalogues: Record<string, Record<string, Node>> = {
  interface: { fr, en, es, pt },
  kpi: { fr: kpiFr, en: kpiEn, es: kpiEs, pt: kpiPt },
};
const each = Object.entries(catalogues).flatMap(([name, of]) =>
  Object.keys(of).map((language) => [name, language] as const),
);

describe.each(each)('the catalogue %s, %s', (name, language) => {
  const reference = texts(catalogues[name]?.en as Node, 'en');
  const own = texts(catalogues[name]?.[language] as Node, language);

  it('has exactly the texts of the English one', () => {
    expect([...own.keys()].sort()).toEqual([...reference.keys()].sort());
  });

  it('uses the same variables in each text', () => {
    for (const [key, { variables }] of reference) {
      expect([key, [...(own.get(key)?.variables ?? [])].sort()]).toEqual([key, [...variables].sort()]);
    }
  });

  it('has every plural form of its language', () => {
    const wanted = new Intl.PluralRules(language).resolvedOptions().pluralCategories;
    for (const [key, { forms }] of own) {
      if (!forms.has('')) {
        expect([key, [...forms].sort()]).toEqual([key, [...wanted].sort()]);
      }
    }
  });
});
