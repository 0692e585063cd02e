/** What the screen and the hand are like. */
import { useCallback, useSyncExternalStore } from 'react';

function useMedia(query: string): boolean {
  const subscribe = useCallback(
    (listener: () => void) => {
      const list = window.matchMedia(query);
      list.addEventListener('change', listener);
      return () => list.removeEventListener('change', listener);
    },
    [query],
  );
  return useSyncExternalStore(subscribe, () => window.matchMedia(query).matches);
}

/** Room for a list and a record side by side. */
export function useIsWide(): boolean {
  return useMedia('(min-width: 64rem)');
}

/** A finger or a glove, not a mouse: targets are larger. */
export function useIsTouch(): boolean {
  return useMedia('(pointer: coarse)');
}
