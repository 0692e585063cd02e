import { Badge } from '@/ui/badge';
import type { DisplayProps } from '../contract';

export function ChoiceDisplay({ value, field }: DisplayProps<'choice'>) {
  const option = field.options.find((candidate) => candidate.value === value);
  return <Badge color={option?.color}>{option?.label ?? value}</Badge>;
}

export function StateDisplay({ value, states }: DisplayProps<'state'>) {
  const state = states.find((candidate) => candidate.value === value);
  return (
    <Badge color={state?.color} dot>
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
