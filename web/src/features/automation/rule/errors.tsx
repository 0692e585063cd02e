/** What the server said against a rule, at the very step and input it said it of. */
import { CircleAlert } from 'lucide-react';
import { useEditing } from '@/records/record/session';

/** `actions.0.params` → what stands there, and what stands below it. */
export function useErrorsAt(path: string): { here: string | undefined; below: Record<string, string> } {
  const { errors } = useEditing();
  const [field = '', ...rest] = path.split('.');
  const within = rest.join('.');
  const inside = errors.errors.inside[field] ?? {};
  if (within === '') {
    return { here: errors.errorOf(field), below: inside };
  }
  const below = Object.entries(inside)
    .filter(([at]) => at.startsWith(`${within}.`))
    .map(([at, text]) => [at.slice(within.length + 1), text]);
  return { here: inside[within], below: Object.fromEntries(below) };
}

export function ErrorText({ id, text }: { id?: string; text: string | undefined }) {
  return text === undefined ? null : (
    <p id={id} className="flex items-start gap-1 text-danger">
      <CircleAlert aria-hidden className="mt-0.5 size-3.5 shrink-0" />
      {text}
    </p>
  );
}
