/** The words of steering: a catalogue of its own, so that nobody reads it who steers nothing. */
import { addCatalogue } from '@/reader/i18n';

export function loadWords(): Promise<void> {
  return addCatalogue('kpi', {
    fr: () => import('@/locales/kpi/fr.json'),
    en: () => import('@/locales/kpi/en.json'),
    es: () => import('@/locales/kpi/es.json'),
    pt: () => import('@/locales/kpi/pt.json'),
  });
}
