import { Circle, CircleCheck, CircleDot, CircleMinus, CirclePause, type LucideIcon } from 'lucide-react';
import type { StateCategory } from '@/api/types';
import { Badge } from '@/ui/badge';
import type { DisplayProps } from '../contract';

export function ChoiceDisplay({ value, field }: DisplayProps<'choice'>) {
  const option = field.options.find((candidate) => candidate.value === value);
  return <Badge color={option?.color}>{option?.label ?? value}</Badge>;
}

const marks: Record<StateCategory, LucideIcon> = {
  open: Circle,
  active: CircleDot,
  waiting: CirclePause,
  done: CircleCheck,
  closed: CircleMinus,
};

/** Its category has a shape of its own: colour alone tells some people nothing. */
export function StateDisplay({ value, states }: DisplayProps<'state'>) {
  const state = states.find((candidate) => candidate.value === value);
  const Mark = marks[state?.category ?? 'open'];
  return (
    <Badge color={state?.color} mark={<Mark aria-hidden className="size-3 shrink-0" strokeWidth={2.5} />}>
      {state?.label ?? value}
    </Badge>
  );
}

export function ChoicesDisplay({ value, field, variant }: DisplayProps<'choices'>) {
  return (
    <span className={variant === 'line' ? 'flex min-w-0 gap-1 overflow-hidden' : 'flex flex-wrap gap-1'}>
      {value.map((code) => {
        const option = field.options.find((candidate) => candidate.value === code);
        return (
          <Badge key={code} color={option?.color}>
            {option?.label ?? code}
          </Badge>
        );
      })}
    </span>
  );
}

export function TagsDisplay({ value, variant }: DisplayProps<'tags'>) {
  return (
    <span className={variant === 'line' ? 'flex min-w-0 gap-1 overflow-hidden' : 'flex flex-wrap gap-1'}>
      {value.map((tag) => (
        <Badge key={tag}>{tag}</Badge>
      ))}
    </span>
  );
}
