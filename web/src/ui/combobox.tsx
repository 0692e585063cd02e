import { type ComponentProps, type KeyboardEvent, type ReactNode, useId, useRef, useState } from 'react';
import { cn } from './cn';
import { Popover, PopoverAnchor, PopoverContent } from './popover';

export interface ComboOption {
  key: string;
  content: ReactNode;
  /** Already among the chosen ones. */
  chosen?: boolean;
}

interface ComboboxProps extends Omit<ComponentProps<'input'>, 'onChange' | 'onSelect' | 'value'> {
  text: string;
  onText: (text: string) => void;
  options: ComboOption[];
  onPick: (key: string) => void;
  /** Names the list of options. */
  listLabel: string;
  /** Said where there are no options: searching, nothing found, what went wrong. */
  status?: string | null;
  /** What was chosen, in front of the text; and buttons behind it. */
  before?: ReactNode;
  after?: ReactNode;
  /** Several are chosen one after the other: the list stays open. */
  many?: boolean;
  /** Enter or a comma after text that is no option, where such text is a value too. */
  onWord?: (text: string) => void;
  /** Backspace before the first letter. */
  onBackspace?: () => void;
  /** The focus has left: what was typed and not chosen is no value. */
  onLeave?: () => void;
  openOnFocus?: boolean;
}

const frame =
  'control field flex h-auto min-h-7 flex-wrap items-center gap-1 py-px pr-0.5 focus-within:outline-2 focus-within:-outline-offset-1 focus-within:outline-accent has-disabled:opacity-60';

/**
 * A text field with a list of options under it. The focus stays in the text; arrows move through the
 * options, Enter chooses, Escape closes the list and nothing else.
 */
export function Combobox({
  text,
  onText,
  options,
  onPick,
  listLabel,
  status = null,
  before,
  after,
  many = false,
  onWord,
  onBackspace,
  onLeave,
  openOnFocus = false,
  className,
  ...props
}: ComboboxProps) {
  const list = useId();
  const input = useRef<HTMLInputElement>(null);
  const wrapper = useRef<HTMLDivElement>(null);
  const [open, setOpen] = useState(false);
  const [place, setPlace] = useState(-1);
  // With words typed the first option is at hand; before that nothing is, so that Enter cannot surprise.
  const current = Math.min(place < 0 && text !== '' && !onWord ? 0 : place, options.length - 1);
  const shown = open && (options.length > 0 || status !== null);
  const optionId = (at: number) => `${list}-${at}`;

  const close = () => {
    setOpen(false);
    setPlace(-1);
  };
  const pick = (key: string) => {
    onPick(key);
    setPlace(-1);
    if (!many) {
      setOpen(false);
    }
  };
  const move = (to: number) => {
    setOpen(true);
    const at = options.length === 0 ? -1 : (to + options.length) % options.length;
    setPlace(at);
    document.getElementById(optionId(at))?.scrollIntoView?.({ block: 'nearest' });
  };
  const enter = (): boolean => {
    const option = shown ? options[current] : undefined;
    if (option) {
      pick(option.key);
      return true;
    }
    if (onWord && text.trim() !== '') {
      onWord(text);
      return true;
    }
    return shown;
  };
  const handled = (event: KeyboardEvent): boolean => {
    switch (event.key) {
      case 'ArrowDown':
        move(shown ? current + 1 : current);
        return true;
      case 'ArrowUp':
        move(shown ? (current < 0 ? -1 : current - 1) : current);
        return true;
      case 'Enter':
        return !event.ctrlKey && !event.metaKey && enter();
      case ',':
        return onWord !== undefined && enter();
      case 'Backspace':
        if (text === '' && onBackspace) {
          onBackspace();
          return true;
        }
        return false;
      default:
        return false;
    }
  };
  return (
    <Popover open={shown} onOpenChange={(next) => (next ? setOpen(true) : close())}>
      <PopoverAnchor asChild>
        {/* A click beside the text, on the frame, is meant for the text. */}
        {/* biome-ignore lint/a11y/noStaticElementInteractions: only the mouse needs this; the text is reached by Tab */}
        <div
          ref={wrapper}
          aria-invalid={props['aria-invalid']}
          className={cn(frame, className)}
          onMouseDown={(event) => {
            if (event.target === event.currentTarget) {
              event.preventDefault();
              input.current?.focus();
            }
          }}
        >
          {before}
          <input
            {...props}
            ref={input}
            role="combobox"
            aria-autocomplete="list"
            aria-expanded={shown}
            aria-controls={list}
            aria-activedescendant={shown && current >= 0 ? optionId(current) : undefined}
            autoComplete="off"
            spellCheck={false}
            value={text}
            className="min-w-16 flex-1 bg-transparent outline-none placeholder:text-muted-foreground pointer-coarse:min-h-10"
            onChange={(event) => {
              onText(event.target.value);
              setOpen(true);
              setPlace(-1);
            }}
            onClick={() => setOpen(true)}
            onFocus={(event) => {
              props.onFocus?.(event);
              if (openOnFocus) {
                setOpen(true);
              }
            }}
            onBlur={(event) => {
              close();
              onLeave?.();
              props.onBlur?.(event);
            }}
            onKeyDown={(event) => {
              if (handled(event)) {
                event.preventDefault();
                event.stopPropagation();
              }
            }}
          />
          {after}
        </div>
      </PopoverAnchor>
      <PopoverContent
        role="presentation"
        className="max-h-72 w-(--radix-popover-trigger-width) min-w-56 p-1"
        onOpenAutoFocus={(event) => event.preventDefault()}
        onCloseAutoFocus={(event) => event.preventDefault()}
        onInteractOutside={(event) => {
          if (wrapper.current?.contains(event.target as Node)) {
            event.preventDefault();
          }
        }}
      >
        <div id={list} role="listbox" aria-label={listLabel} aria-multiselectable={many || undefined}>
          {options.map((option, at) => (
            // biome-ignore lint/a11y/useFocusableInteractive: the text keeps the focus and names the option at hand
            // biome-ignore lint/a11y/useKeyWithClickEvents: the text handles the keys
            <div
              key={option.key}
              id={optionId(at)}
              role="option"
              aria-selected={option.chosen ?? false}
              data-current={at === current || undefined}
              // Before the click, the text would lose the focus and close the list.
              onMouseDown={(event) => event.preventDefault()}
              onMouseMove={() => setPlace(at)}
              onClick={() => pick(option.key)}
              className="flex min-h-7 cursor-default items-center gap-2 rounded-md px-2 py-0.5 data-current:bg-hover pointer-coarse:min-h-11"
            >
              {option.content}
            </div>
          ))}
        </div>
        {options.length === 0 && (
          <p role="status" className="px-2 py-1.5 text-muted-foreground">
            {status}
          </p>
        )}
      </PopoverContent>
    </Popover>
  );
}
