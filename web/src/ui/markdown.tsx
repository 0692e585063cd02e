import Markdown, { type Components, type Options } from 'react-markdown';
import remarkBreaks from 'remark-breaks';
import remarkGfm from 'remark-gfm';
import { cn } from './cn';

/** Pictures of other hosts would tell them who reads, and when: they are shown as the link they are. */
function isOwn(address: string | undefined): address is string {
  return address?.startsWith('/') === true && !address.startsWith('//');
}

const components: Components = {
  // The page has its own headings above these.
  h1: 'h3',
  h2: 'h4',
  h3: 'h5',
  h4: 'h6',
  h5: 'h6',
  a: ({ href, title, children }) =>
    href ? (
      <a href={href} title={title} target={isOwn(href) ? undefined : '_blank'} rel="noreferrer">
        {children}
      </a>
    ) : (
      // Its address was none that a browser should follow.
      <span>{children}</span>
    ),
  img: ({ src, alt }) =>
    typeof src !== 'string' || src === '' ? (
      <span>{alt}</span>
    ) : isOwn(src) ? (
      <img src={src} alt={alt ?? ''} loading="lazy" />
    ) : (
      <a href={src} target="_blank" rel="noreferrer">
        {alt || src}
      </a>
    ),
  // Only task lists make inputs, and they are not for ticking here.
  input: ({ checked }) => <span className="mr-1">{checked ? '☑' : '☐'}</span>,
  table: ({ children }) => (
    <div className="max-w-full overflow-x-auto">
      <table>{children}</table>
    </div>
  ),
};

const plugins: Options['remarkPlugins'] = [[remarkGfm, { singleTilde: false }], remarkBreaks];

const prose = cn(
  'min-w-0 break-words [&>*:first-child]:mt-0 [&>*:last-child]:mb-0',
  '[&_p]:my-1.5 [&_ul]:my-1.5 [&_ol]:my-1.5 [&_ul]:list-disc [&_ol]:list-decimal [&_ul]:pl-5 [&_ol]:pl-5 [&_li]:my-0.5',
  '[&_.contains-task-list]:list-none [&_.contains-task-list]:pl-1',
  '[&_h3]:mt-3 [&_h3]:mb-1 [&_h3]:text-base [&_h3]:font-semibold [&_h4]:mt-2.5 [&_h4]:mb-1 [&_h4]:font-semibold [&_h5]:mt-2 [&_h5]:font-semibold [&_h6]:mt-2 [&_h6]:font-medium',
  '[&_a]:text-accent [&_a]:underline-offset-2 [&_a]:hover:underline [&_strong]:font-semibold',
  '[&_blockquote]:my-1.5 [&_blockquote]:border-l-2 [&_blockquote]:border-control [&_blockquote]:pl-3 [&_blockquote]:text-muted-foreground',
  '[&_code]:rounded-sm [&_code]:bg-hover [&_code]:px-1 [&_code]:py-px [&_code]:font-mono [&_code]:text-[0.92em]',
  '[&_pre]:my-1.5 [&_pre]:overflow-x-auto [&_pre]:rounded-md [&_pre]:border [&_pre]:bg-surface [&_pre]:p-2 [&_pre_code]:bg-transparent [&_pre_code]:p-0',
  '[&_table]:my-1.5 [&_th]:border [&_td]:border [&_th]:px-2 [&_td]:px-2 [&_th]:py-1 [&_td]:py-1 [&_th]:text-left [&_th]:font-medium',
  '[&_hr]:my-3 [&_img]:max-h-80 [&_img]:max-w-full [&_img]:rounded-md [&_img]:border',
);

interface MarkdownTextProps {
  text: string;
  className?: string;
}

/**
 * Markdown as elements. HTML inside it is shown as the text it is, addresses of unsafe kinds are dropped:
 * nothing that was written reaches the page as markup.
 */
export function MarkdownText({ text, className }: MarkdownTextProps) {
  return (
    <div className={cn(prose, className)}>
      <Markdown components={components} remarkPlugins={plugins}>
        {text}
      </Markdown>
    </div>
  );
}
