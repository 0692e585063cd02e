/** Keys that work everywhere. Those of the grid are handled by the grid; the dialog names all of them. */
import { useEffect, useRef } from 'react';

/** Typing into a field is never a shortcut. */
function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || ['INPUT', 'TEXTAREA', 'SELECT'].includes(target.tagName))
  );
}

const mac = /Mac|iPhone|iPad/.test(navigator.userAgent);

/** How the key beside the space bar is called on this machine. */
export const COMMAND_KEY = mac ? '⌘' : 'Ctrl';

export interface GlobalKeys {
  openPalette: () => void;
  openShortcuts: () => void;
}

export function useGlobalKeys(keys: GlobalKeys): void {
  const latest = useRef(keys);
  latest.current = keys;
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if ((event.ctrlKey || event.metaKey) && !event.shiftKey && event.key.toLowerCase() === 'k') {
        event.preventDefault();
        latest.current.openPalette();
        return;
      }
      if (event.key === '?' && !event.ctrlKey && !event.metaKey && !event.altKey && !isTyping(event.target)) {
        event.preventDefault();
        latest.current.openShortcuts();
      }
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, []);
}
