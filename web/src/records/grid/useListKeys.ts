import { useEffect, useRef } from 'react';

interface ListKeys {
  focusSearch: () => void;
}

/** `/` leads to the search box from anywhere on the page, unless one is typing. */
export function useListKeys(keys: ListKeys): void {
  const latest = useRef(keys);
  latest.current = keys;
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const target = event.target as HTMLElement;
      const typing = target.isContentEditable || ['INPUT', 'TEXTAREA', 'SELECT'].includes(target.tagName);
      const inDialog = target.closest('[role="dialog"]') !== null;
      if (event.key === '/' && !typing && !inDialog && !event.ctrlKey && !event.metaKey && !event.altKey) {
        event.preventDefault();
        latest.current.focusSearch();
      }
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, []);
}
