/** The theme of this browser. `public/theme.js` reads the same entry before the first paint. */
import { useSyncExternalStore } from 'react';
import type { Theme } from '@/api/types';

const STORED = 'opsflux.theme';
const dark = () => window.matchMedia('(prefers-color-scheme: dark)');
const listeners = new Set<() => void>();

function stored(): Theme | null {
  const value = localStorage.getItem(STORED);
  return value === 'light' || value === 'dark' || value === 'system' ? value : null;
}

function current(): Theme {
  return stored() ?? 'system';
}

function apply(): void {
  const isDark = current() === 'dark' || (current() === 'system' && dark().matches);
  document.documentElement.classList.toggle('dark', isDark);
}

export function setTheme(theme: Theme): void {
  localStorage.setItem(STORED, theme);
  apply();
  for (const listener of listeners) {
    listener();
  }
}

/** The profile's theme is taken in a browser where none was chosen yet. */
export function adoptTheme(theme: Theme | null): void {
  if (stored() === null && theme !== null) {
    setTheme(theme);
  }
}

export function watchSystemTheme(): void {
  dark().addEventListener('change', apply);
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
  };
}

export function useTheme(): Theme {
  return useSyncExternalStore(subscribe, current);
}
