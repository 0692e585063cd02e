import type { ReactNode } from 'react';

const ENTITIES: Record<string, string> = {
  lt: '<',
  gt: '>',
  amp: '&',
  quot: '"',
  '#39': "'",
  '#x27': "'",
  '#x2F': '/',
};

function plainText(text: string): string {
  return text.replace(/&(\w+|#\w+);/g, (whole, name: string) => ENTITIES[name] ?? whole);
}

/**
 * Text in which the server marked what was found: escaped HTML with `<mark>` only. It is taken apart and
 * drawn as text, so no markup of the answer ever reaches the page.
 */
export function Highlight({ text }: { text: string }): ReactNode {
  return text.split(/(<mark>.*?<\/mark>)/s).map((part, index) => {
    const marked = /^<mark>(.*)<\/mark>$/s.exec(part);
    // biome-ignore lint/suspicious/noArrayIndexKey: the parts of one text, drawn anew as a whole
    return marked ? <mark key={index}>{plainText(marked[1] ?? '')}</mark> : plainText(part);
  });
}
