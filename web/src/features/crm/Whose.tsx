/** Whose: everybody's that one sees, or one's own. */
import { Button } from '@/ui/button';

interface WhoseProps {
  mine: boolean;
  /** What is chosen between: one's own first. */
  words: [string, string];
  label: string;
  onChange: (mine: boolean) => void;
}

export function Whose({ mine, words, label, onChange }: WhoseProps) {
  return (
    <fieldset aria-label={label} className="flex gap-1">
      {words.map((word, place) => {
        const own = place === 0;
        return (
          <Button
            key={word}
            variant="ghost"
            aria-pressed={mine === own}
            className={mine === own ? 'bg-selected' : undefined}
            onClick={() => onChange(own)}
          >
            {word}
          </Button>
        );
      })}
    </fieldset>
  );
}
