/** Fills the window for a wall or a meeting, over the frame of the house; Escape leaves it. */
import { X } from 'lucide-react';
import { type ReactNode, useEffect, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { Button } from '@/ui/button';

interface StageProps {
  title: ReactNode;
  label: string;
  controls?: ReactNode;
  onKey?: (key: string) => void;
  onLeave: () => void;
  children: ReactNode;
}

export function Stage({ title, label, controls, onKey, onLeave, children }: StageProps) {
  const { t } = useTranslation('kpi');
  const box = useRef<HTMLDialogElement>(null);
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    const dialog = box.current;
    // Modal: what lies behind is out of reach for the keyboard and for screen readers.
    dialog?.showModal?.();
    // What is shown is said first, and keys lead on at once: none of the controls takes them.
    heading.current?.focus();
    return () => dialog?.close?.();
  }, []);
  const leave = () => {
    if (document.fullscreenElement) {
      void document.exitFullscreen();
    }
    onLeave();
  };
  return (
    <dialog
      ref={box}
      aria-label={label}
      className="fixed inset-0 m-0 flex h-dvh max-h-none w-screen max-w-none flex-col bg-background text-foreground"
      onCancel={(event) => {
        event.preventDefault();
        leave();
      }}
      onKeyDown={({ key, altKey, ctrlKey, metaKey }) => !altKey && !ctrlKey && !metaKey && onKey?.(key)}
    >
      <header className="flex flex-wrap items-center gap-2 border-b px-4 py-2">
        <h1
          ref={heading}
          tabIndex={-1}
          className="min-w-0 flex-1 truncate text-xl font-semibold outline-none"
        >
          {title}
        </h1>
        {controls}
        <Button variant="ghost" onClick={leave}>
          <X aria-hidden /> {t('stage.leave')}
        </Button>
      </header>
      <section
        aria-label={label}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard
        tabIndex={0}
        className="@container min-h-0 flex-1 overflow-y-auto p-4 focus-visible:-outline-offset-2"
      >
        {children}
      </section>
    </dialog>
  );
}
