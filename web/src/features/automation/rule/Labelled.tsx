import { type ReactNode, useId } from 'react';
import { cn } from '@/ui/cn';
import { ErrorText } from './errors';

export interface Control {
  id: string;
  'aria-invalid'?: true;
  'aria-describedby'?: string;
}

interface LabelledProps {
  label: ReactNode;
  help?: ReactNode;
  error?: string;
  required?: boolean;
  className?: string;
  children: (control: Control) => ReactNode;
}

/** One input of a step: its name, its control, what is wrong with it, and what it is for. */
export function Labelled({ label, help, error, required = false, className, children }: LabelledProps) {
  const id = useId();
  const described = [error && `${id}-error`, help && `${id}-help`].filter(Boolean).join(' ');
  return (
    <div className={cn('flex min-w-0 flex-col gap-1', className)}>
      <label htmlFor={id} className="font-medium">
        {label}
        {required && (
          <span aria-hidden className="text-danger">
            {' *'}
          </span>
        )}
      </label>
      {children({
        id,
        'aria-invalid': error === undefined ? undefined : true,
        'aria-describedby': described || undefined,
      })}
      <ErrorText id={`${id}-error`} text={error} />
      {help && (
        <p id={`${id}-help`} className="text-xs text-muted-foreground">
          {help}
        </p>
      )}
    </div>
  );
}
