import { X } from 'lucide-react';
import { Dialog as Primitive } from 'radix-ui';
import type { ComponentProps, ReactNode } from 'react';
import { Button } from './button';
import { cn } from './cn';

export const Dialog = Primitive.Root;

const overlay =
  'fixed inset-0 z-40 bg-overlay data-[state=open]:animate-in data-[state=open]:fade-in-0 duration-100';

interface DialogContentProps extends Omit<ComponentProps<typeof Primitive.Content>, 'title'> {
  title: ReactNode;
  description?: ReactNode;
  closeLabel: string;
  /** Of the part under the heading, which scrolls unless this says otherwise. */
  bodyClassName?: string;
}

function Heading({
  title,
  description,
  closeLabel,
}: Pick<DialogContentProps, 'title' | 'description' | 'closeLabel'>) {
  return (
    <div className="flex items-start gap-2 border-b px-4 py-2.5">
      <div className="min-w-0 flex-1 self-center">
        <Primitive.Title className="text-base font-semibold">{title}</Primitive.Title>
        {description && (
          <Primitive.Description className="text-muted-foreground">{description}</Primitive.Description>
        )}
      </div>
      <Primitive.Close asChild>
        <Button variant="ghost" size="icon" aria-label={closeLabel}>
          <X aria-hidden />
        </Button>
      </Primitive.Close>
    </div>
  );
}

/** The first field takes the focus, or the first button of the body; closing is not what one came for. */
function focusBody(event: Event): void {
  const content = event.currentTarget as HTMLElement;
  const first = content.querySelector<HTMLElement>(
    '[data-body] :is([autofocus], input, select, textarea, button):not(:disabled)',
  );
  event.preventDefault();
  (first ?? content).focus();
}

/** In the middle of the screen; on a phone it fills the lower part. */
export function DialogContent({
  className,
  title,
  description,
  closeLabel,
  bodyClassName,
  children,
  ...props
}: DialogContentProps) {
  const described = description ? {} : { 'aria-describedby': undefined };
  return (
    <Primitive.Portal>
      <Primitive.Overlay className={overlay} />
      <Primitive.Content
        className={cn(
          'fixed z-50 flex max-h-[calc(100dvh-2rem)] flex-col overflow-hidden border bg-raised shadow-lg outline-none max-sm:inset-x-0 max-sm:bottom-0 max-sm:rounded-t-lg sm:top-1/2 sm:left-1/2 sm:w-lg sm:max-w-[calc(100vw-2rem)] sm:-translate-x-1/2 sm:-translate-y-1/2 sm:rounded-lg',
          className,
        )}
        onOpenAutoFocus={focusBody}
        {...described}
        {...props}
      >
        <Heading title={title} description={description} closeLabel={closeLabel} />
        <div data-body className={cn('min-h-0 flex-1 overflow-y-auto p-4', bodyClassName)}>
          {children}
        </div>
      </Primitive.Content>
    </Primitive.Portal>
  );
}

/** Slides over one side, over the page. */
export function SheetContent({ className, title, closeLabel, children, ...props }: DialogContentProps) {
  return (
    <Primitive.Portal>
      <Primitive.Overlay className={overlay} />
      <Primitive.Content
        aria-describedby={undefined}
        className={cn(
          'fixed inset-y-0 left-0 z-50 flex w-64 max-w-[85vw] flex-col overflow-hidden border-r bg-surface outline-none data-[state=open]:animate-in data-[state=open]:slide-in-from-left duration-150',
          className,
        )}
        {...props}
      >
        <Primitive.Title className="sr-only">{title}</Primitive.Title>
        {children}
        <Primitive.Close className="sr-only focus:not-sr-only focus:absolute focus:top-2 focus:right-2 focus:p-2">
          {closeLabel}
        </Primitive.Close>
      </Primitive.Content>
    </Primitive.Portal>
  );
}
