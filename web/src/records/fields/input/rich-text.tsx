import {
  Bold,
  Code,
  Eye,
  Italic,
  Link,
  List,
  ListChecks,
  ListOrdered,
  type LucideIcon,
  Pencil,
  Quote,
} from 'lucide-react';
import { type KeyboardEvent, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Button } from '@/ui/button';
import { cn } from '@/ui/cn';
import { Textarea } from '@/ui/input';
import type { InputProps } from '../contract';
import { RichText } from '../display/rich-text';
import { linked, nextLine, prefixed, type Selection, wrapped } from '../markdown';
import { same } from '../values';
import { controlProps } from './control';
import { useTextReader } from './text';
import { useTyped } from './typed';

interface Tool {
  name: string;
  icon: LucideIcon;
  act: (selection: Selection) => Selection;
  key?: string;
}

const tools: Tool[] = [
  { name: 'bold', icon: Bold, act: (selection) => wrapped(selection, '**'), key: 'b' },
  { name: 'italic', icon: Italic, act: (selection) => wrapped(selection, '_'), key: 'i' },
  { name: 'code', icon: Code, act: (selection) => wrapped(selection, '`') },
  { name: 'link', icon: Link, act: linked },
  { name: 'list', icon: List, act: (selection) => prefixed(selection, '- ') },
  { name: 'numbers', icon: ListOrdered, act: (selection) => prefixed(selection, '1. ') },
  { name: 'tasks', icon: ListChecks, act: (selection) => prefixed(selection, '- [ ] ') },
  { name: 'quote', icon: Quote, act: (selection) => prefixed(selection, '> ') },
];

/**
 * Replaces what differs by way of the browser's own insertion, so that its undo takes the change back too.
 * Answers whether the browser did it.
 */
function insertByBrowser(area: HTMLTextAreaElement, next: Selection): boolean {
  const before = area.value;
  let from = 0;
  while (from < before.length && before[from] === next.text[from]) {
    from += 1;
  }
  let tail = 0;
  const most = Math.min(before.length, next.text.length) - from;
  while (tail < most && before.at(-1 - tail) === next.text.at(-1 - tail)) {
    tail += 1;
  }
  area.setSelectionRange(from, before.length - tail);
  const added = next.text.slice(from, next.text.length - tail);
  const done =
    added === '' ? document.execCommand?.('delete') : document.execCommand?.('insertText', false, added);
  return done === true && area.value === next.text;
}

interface ToolbarProps {
  className?: string;
  disabled: boolean | undefined;
  preview: boolean;
  onAct: (tool: Tool) => void;
  onPreview: () => void;
}

function Toolbar({ className, disabled, preview, onAct, onPreview }: ToolbarProps) {
  const { t } = useTranslation();
  return (
    <div
      role="toolbar"
      aria-label={t('markdown.toolbar')}
      className={cn('flex items-center border-b px-1 py-0.5', className)}
    >
      <div className="flex min-w-0 flex-1 gap-0.5 overflow-x-auto">
        {tools.map((tool) => (
          <Button
            key={tool.name}
            variant="ghost"
            size="icon"
            disabled={disabled || preview}
            aria-label={t(`markdown.${tool.name}`)}
            title={t(`markdown.${tool.name}`)}
            // The text keeps the focus, and with it its selection.
            onMouseDown={(event) => event.preventDefault()}
            onClick={() => onAct(tool)}
          >
            <tool.icon aria-hidden />
          </Button>
        ))}
      </div>
      <Button variant="ghost" className="ml-1" aria-pressed={preview} onClick={onPreview}>
        {preview ? <Pencil aria-hidden /> : <Eye aria-hidden />}
        {t(preview ? 'markdown.write' : 'markdown.preview')}
      </Button>
    </div>
  );
}

interface MarkdownAreaProps {
  control: ReturnType<typeof controlProps> & { 'aria-label'?: string; placeholder?: string };
  text: string;
  invalid?: boolean;
  className?: string;
  /** One line high and without its toolbar until somebody writes. */
  compact?: boolean;
  onText: (text: string) => void;
  onKeyDown?: (event: KeyboardEvent<HTMLTextAreaElement>) => void;
}

/** Markdown with its toolbar and a look at how it will be read. */
export function MarkdownArea({
  control,
  text,
  invalid,
  className,
  compact = false,
  onText,
  onKeyDown,
}: MarkdownAreaProps) {
  const { t } = useTranslation();
  const area = useRef<HTMLTextAreaElement>(null);
  const [preview, setPreview] = useState(false);
  const resting = compact && text === '' && !preview;
  const apply = (next: Selection) => {
    const element = area.current;
    if (!element) {
      return;
    }
    element.focus();
    if (!insertByBrowser(element, next)) {
      onText(next.text);
      element.value = next.text;
    }
    element.setSelectionRange(next.start, next.end);
  };
  const selection = (element: HTMLTextAreaElement): Selection => ({
    text: element.value,
    start: element.selectionStart,
    end: element.selectionEnd,
  });
  const keys = (event: KeyboardEvent<HTMLTextAreaElement>) => {
    onKeyDown?.(event);
    if (event.defaultPrevented) {
      return;
    }
    const command = event.ctrlKey || event.metaKey;
    const tool = command ? tools.find(({ key }) => key === event.key.toLowerCase()) : undefined;
    const plainEnter = event.key === 'Enter' && !command && !event.shiftKey && !event.nativeEvent.isComposing;
    const next =
      tool?.act(selection(event.currentTarget)) ??
      (plainEnter ? nextLine(selection(event.currentTarget)) : null);
    if (next) {
      event.preventDefault();
      apply(next);
    }
  };
  return (
    <div
      aria-invalid={invalid}
      className={cn(
        'group/area field overflow-hidden rounded-md px-0 focus-within:outline-2 focus-within:-outline-offset-1 focus-within:outline-accent',
        className,
      )}
    >
      <Toolbar
        className={resting ? 'hidden group-focus-within/area:flex' : undefined}
        disabled={control.disabled}
        preview={preview}
        onAct={(tool) => area.current && apply(tool.act(selection(area.current)))}
        onPreview={() => setPreview(!preview)}
      />
      {preview ? (
        <div className="min-h-24 px-2.5 py-2">
          {text.trim() === '' ? (
            <p className="text-muted-foreground">{t('markdown.nothing')}</p>
          ) : (
            <RichText text={text} />
          )}
        </div>
      ) : (
        <Textarea
          {...control}
          ref={area}
          aria-invalid={invalid}
          className={cn(
            'field-sizing-content block max-h-[60vh] rounded-none border-0 bg-transparent px-2.5 outline-none',
            resting ? 'min-h-9 group-focus-within/area:min-h-24' : 'min-h-24',
          )}
          value={text}
          onChange={(event) => onText(event.target.value)}
          onKeyDown={keys}
        />
      )}
    </div>
  );
}

export function RichTextInput(props: InputProps<'rich_text'>) {
  const read = useTextReader(props.field.max);
  const { text, type, tidy, unreadable } = useTyped({
    ...props,
    write: (value: string) => value,
    equal: same,
    read,
  });
  const { onBlur, ...control } = controlProps(props);
  return (
    <MarkdownArea
      control={{
        ...control,
        onBlur: () => {
          tidy();
          onBlur?.();
        },
      }}
      text={text}
      invalid={unreadable || props.invalid}
      onText={type}
    />
  );
}
