import type { ComponentProps } from 'react';
import { cn } from './cn';

export function Input({ className, type = 'text', ...props }: ComponentProps<'input'>) {
  return <input type={type} className={cn('control field', className)} {...props} />;
}

export function Textarea({ className, ...props }: ComponentProps<'textarea'>) {
  return <textarea className={cn('control field h-auto min-h-20 resize-y py-1.5', className)} {...props} />;
}

/** The system's own list: it is the one that works best with a finger and a screen reader. */
export function Select({ className, ...props }: ComponentProps<'select'>) {
  return <select className={cn('control field pr-6', className)} {...props} />;
}
