import { cva, type VariantProps } from 'class-variance-authority';
import { Slot } from 'radix-ui';
import type { ComponentProps } from 'react';
import { cn } from './cn';

const buttonVariants = cva(
  'control inline-flex shrink-0 items-center justify-center gap-1.5 whitespace-nowrap px-2.5 text-sm font-medium select-none transition-colors duration-100 disabled:opacity-50 disabled:cursor-not-allowed aria-disabled:opacity-50 [&_svg]:size-4 [&_svg]:shrink-0',
  {
    variants: {
      variant: {
        primary: 'bg-accent text-accent-foreground hover:bg-accent-hover',
        outline: 'border bg-background hover:bg-hover',
        ghost: 'hover:bg-hover data-[state=open]:bg-hover',
        danger: 'bg-danger text-danger-foreground hover:opacity-90',
        'danger-ghost': 'text-danger hover:bg-danger-surface',
      },
      size: { normal: '', icon: 'w-7 px-0', large: 'h-9 px-3.5' },
    },
    defaultVariants: { variant: 'outline', size: 'normal' },
  },
);

interface ButtonProps extends ComponentProps<'button'>, VariantProps<typeof buttonVariants> {
  /** Draws the child (a link) as a button. */
  asChild?: boolean;
}

export function Button({
  className,
  variant,
  size,
  asChild = false,
  type = 'button',
  ...props
}: ButtonProps) {
  const classes = cn(buttonVariants({ variant, size }), className);
  return asChild ? (
    <Slot.Root className={classes} {...props} />
  ) : (
    <button type={type} className={classes} {...props} />
  );
}
