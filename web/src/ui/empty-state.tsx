import type { ReactNode } from 'react';

interface EmptyStateProps {
  icon?: ReactNode;
  title: ReactNode;
  children?: ReactNode;
  actions?: ReactNode;
}

/** Where there is nothing to show: what this place is for, and the first step. */
export function EmptyState({ icon, title, children, actions }: EmptyStateProps) {
  return (
    <div className="mx-auto flex max-w-sm flex-col items-center gap-2 px-4 py-12 text-center [&_svg]:size-6">
      {icon && <div className="text-muted-foreground">{icon}</div>}
      <div className="text-base font-semibold">{title}</div>
      {children && <div className="text-muted-foreground">{children}</div>}
      {actions && <div className="mt-2 flex flex-wrap justify-center gap-2 [&_svg]:size-4">{actions}</div>}
    </div>
  );
}
