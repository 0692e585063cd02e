/** The words of the interface: one catalogue a language, loaded when it is needed. */
import i18next from 'i18next';
import { initReactI18next } from 'react-i18next';
import { setRequestLanguage } from '@/api/client';

export const LANGUAGES = ['fr', 'en', 'es', 'pt'] as const;
export type Language = (typeof LANGUAGES)[number];

/** A language is offered under its own name, whatever language is shown. */
export const LANGUAGE_NAMES: Record<Language, string> = {
  fr: 'Français',
  en: 'English',
  es: 'Español',
  pt: 'Português',
};

const STORED = 'opsflux.language';

type Catalogue = Record<string, unknown>;

type Catalogues = Record<Language, () => Promise<{ default: Catalogue }>>;

const catalogues: Catalogues = {
  fr: () => import('@/locales/fr.json'),
  en: () => import('@/locales/en.json'),
  es: () => import('@/locales/es.json'),
  pt: () => import('@/locales/pt.json'),
};

export function isLanguage(tag: string): tag is Language {
  return (LANGUAGES as readonly string[]).includes(tag);
}

/** The first language the person's browser asks for that we speak; English when we speak none. */
function preferredLanguage(): Language {
  const stored = localStorage.getItem(STORED);
  for (const tag of [stored, ...navigator.languages]) {
    const language = tag?.split('-')[0]?.toLowerCase();
    if (language && isLanguage(language)) {
      return language;
    }
  }
  return 'en';
}

/** By namespace: what every page says, and what features say that are loaded with their first page. */
const known = new Map<string, Catalogues>([['translation', catalogues]]);

async function load(language: Language): Promise<void> {
  for (const [namespace, of] of known) {
    if (!i18next.hasResourceBundle(language, namespace)) {
      const { default: catalogue } = await of[language]();
      i18next.addResourceBundle(language, namespace, catalogue);
    }
  }
}

/** Adds the words of a feature. They are there when this resolves, and in every language chosen later. */
export async function addCatalogue(namespace: string, of: Catalogues): Promise<void> {
  known.set(namespace, of);
  if (isLanguage(i18next.language)) {
    await load(i18next.language);
  }
}

export async function startLanguage(): Promise<void> {
  const language = preferredLanguage();
  await i18next.use(initReactI18next).init({
    lng: language,
    // No fallback catalogue: the four are complete, and a test proves it.
    fallbackLng: false,
    interpolation: { escapeValue: false },
    resources: {},
    partialBundledLanguages: true,
  });
  await changeLanguage(language);
}

export async function changeLanguage(language: Language): Promise<void> {
  await load(language);
  setRequestLanguage(language);
  document.documentElement.lang = language;
  await i18next.changeLanguage(language);
}

/** Kept in this browser, so that the log-in is already in the right language. */
export function rememberLanguage(language: Language): void {
  localStorage.setItem(STORED, language);
}
