/** What jsdom lacks and every test of the interface needs. */
import '@testing-library/jest-dom/vitest';
import { cleanup, configure } from '@testing-library/react';
import i18next from 'i18next';
import { initReactI18next } from 'react-i18next';
import { afterEach, beforeAll, vi } from 'vitest';
import en from '@/locales/en.json';

/** A screen of 1400 × 800: virtual lists draw nothing in an element without a size. */
function giveSize(name: 'clientWidth' | 'clientHeight', pixels: number): void {
  Object.defineProperty(Element.prototype, name, { configurable: true, get: () => pixels });
}

class QuietResizeObserver implements ResizeObserver {
  observe(): void {}
  unobserve(): void {}
  disconnect(): void {}
}

// The whole page in each failure hides what failed.
configure({
  asyncUtilTimeout: 10_000,
  getElementError: (message) => new Error(message?.split('\n\n')[0] ?? 'not found'),
});

beforeAll(async () => {
  giveSize('clientWidth', 1400);
  giveSize('clientHeight', 800);
  vi.stubGlobal('ResizeObserver', QuietResizeObserver);
  Element.prototype.scrollIntoView = () => undefined;
  Element.prototype.scrollTo = function scrollTo(this: Element, options?: ScrollToOptions | number) {
    this.scrollTop = typeof options === 'object' ? (options.top ?? 0) : 0;
    this.dispatchEvent(new Event('scroll'));
  } as Element['scrollTo'];
  Element.prototype.hasPointerCapture = () => false;
  Element.prototype.setPointerCapture = () => undefined;
  Element.prototype.releasePointerCapture = () => undefined;
  window.scrollTo = () => undefined;
  // A wide screen and a mouse.
  window.matchMedia = (query: string) =>
    ({
      matches: query.includes('min-width'),
      media: query,
      addEventListener: () => undefined,
      removeEventListener: () => undefined,
    }) as unknown as MediaQueryList;
  await i18next.use(initReactI18next).init({
    lng: 'en',
    fallbackLng: false,
    interpolation: { escapeValue: false },
    resources: { en: { translation: en } },
  });
});

afterEach(() => {
  cleanup();
  localStorage.clear();
});
