/** For whom values are written: language, time zone, and the moment "3 hours ago" is counted from. */
import { createContext, type ReactNode, use, useMemo, useSyncExternalStore } from 'react';
import { useTranslation } from 'react-i18next';

export interface Reader {
  language: string;
  timeZone: string;
}

const browserZone = () => Intl.DateTimeFormat().resolvedOptions().timeZone;

const ReaderZone = createContext<string | null>(null);

export function ReaderProvider({ timeZone, children }: { timeZone: string | null; children: ReactNode }) {
  return <ReaderZone value={timeZone}>{children}</ReaderZone>;
}

export function useReader(): Reader {
  const { i18n } = useTranslation();
  const zone = use(ReaderZone);
  return useMemo(() => ({ language: i18n.language, timeZone: zone ?? browserZone() }), [i18n.language, zone]);
}

const MINUTE = 60_000;
const listeners = new Set<() => void>();
let now = Date.now();
let timer: ReturnType<typeof setInterval> | undefined;

function subscribe(listener: () => void): () => void {
  if (listeners.size === 0) {
    now = Date.now();
    timer = setInterval(() => {
      now = Date.now();
      for (const notify of listeners) {
        notify();
      }
    }, MINUTE);
  }
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) {
      clearInterval(timer);
    }
  };
}

/** One clock for the whole page, a tick a minute: relative dates stay true without a timer each. */
export function useNow(): number {
  return useSyncExternalStore(subscribe, () => now);
}
