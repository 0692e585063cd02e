import { lazy, Suspense } from 'react';
import type { DisplayProps } from '../contract';
import { plainMarkdown } from './plain-markdown';

const MarkdownText = lazy(() =>
  import('@/ui/markdown').then(({ MarkdownText }) => ({ default: MarkdownText })),
);

/** Until the reader of Markdown is loaded, the text as it was typed: the same words in the same place. */
export function RichText({ text }: { text: string }) {
  return (
    <Suspense fallback={<span className="block break-words whitespace-pre-wrap">{text}</span>}>
      <MarkdownText text={text} />
    </Suspense>
  );
}

export function RichTextDisplay({ value, variant }: DisplayProps<'rich_text'>) {
  return variant === 'line' ? (
    <span className="truncate">{plainMarkdown(value)}</span>
  ) : (
    <RichText text={value} />
  );
}
