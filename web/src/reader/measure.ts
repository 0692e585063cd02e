import { type RefCallback, useCallback, useState } from 'react';

/** The width of an element, kept up to date: what is drawn inside fits its place and not the window. */
export function useWidth<E extends HTMLElement>(): [ref: RefCallback<E>, width: number | null] {
  const [width, setWidth] = useState<number | null>(null);
  const ref = useCallback((element: E | null) => {
    if (!element) {
      return undefined;
    }
    setWidth(element.clientWidth);
    const observer = new ResizeObserver(() => setWidth(element.clientWidth));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return [ref, width];
}
