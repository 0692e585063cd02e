/**
 * The words of these pages, in catalogues of their own: whoever never opens them does not load them. The
 * catalogue of a language comes when a page is drawn in it.
 */
import type { TFunction } from 'i18next';
import { use } from 'react';
import { useTranslation } from 'react-i18next';
import { isLanguage, type Language } from '@/reader/i18n';

const SPACE = 'crm';

const catalogues: Record<Language, () => Promise<{ default: object }>> = {
  fr: () => import('./words/fr.json'),
  en: () => import('./words/en.json'),
  es: () => import('./words/es.json'),
  pt: () => import('./words/pt.json'),
};

const loading = new Map<Language, Promise<object>>();

function load(language: Language): Promise<object> {
  const known = loading.get(language);
  if (known) {
    return known;
  }
  const made = catalogues[language]().then(({ default: words }) => words);
  loading.set(language, made);
  return made;
}

/** Says the words of these pages, in the language of the reader. */
export function useWords(): TFunction<typeof SPACE> {
  const { i18n } = useTranslation();
  const language = isLanguage(i18n.language) ? i18n.language : 'en';
  const words = use(load(language));
  if (!i18n.hasResourceBundle(language, SPACE)) {
    i18n.addResourceBundle(language, SPACE, words);
  }
  return i18n.getFixedT(language, SPACE) as TFunction<typeof SPACE>;
}
