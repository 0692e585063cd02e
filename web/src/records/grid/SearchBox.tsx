import { Search, X } from 'lucide-react';
import { type Ref, useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useDebounced } from '@/reader/debounce';
import { Input } from '@/ui/input';

interface SearchBoxProps {
  ref: Ref<HTMLInputElement>;
  value: string;
  label: string;
  onChange: (q: string) => void;
  /** Down and Enter lead from the words to the rows they found. */
  onLeave: () => void;
}

const PAUSE = 150;

/** Searches while one types; there is nothing to press. */
export function SearchBox({ ref, value, label, onChange, onLeave }: SearchBoxProps) {
  const { t } = useTranslation();
  const [typed, setTyped] = useState(value);
  const [known, setKnown] = useState(value);
  const [told, setTold] = useState(value);
  if (known !== value) {
    setKnown(value);
    // Another view, or "back"; our own words coming back late must not undo what was typed since.
    if (value !== told) {
      setTyped(value);
    }
  }
  const settled = useDebounced(typed.trim(), PAUSE);
  // biome-ignore lint/correctness/useExhaustiveDependencies: only words that have come to rest are told
  useEffect(() => {
    if (settled === typed.trim() && settled !== value) {
      setTold(settled);
      onChange(settled);
    }
  }, [settled]);
  return (
    <search className="relative block">
      <Search aria-hidden className="absolute top-1/2 left-2 size-4 -translate-y-1/2 text-muted-foreground" />
      <Input
        ref={ref}
        type="search"
        value={typed}
        onChange={({ target }) => setTyped(target.value)}
        onKeyDown={(event) => {
          if (event.key === 'Escape' && typed !== '') {
            event.preventDefault();
            setTyped('');
          } else if (event.key === 'ArrowDown' || event.key === 'Enter' || event.key === 'Escape') {
            event.preventDefault();
            onLeave();
          }
        }}
        aria-label={label}
        aria-keyshortcuts="/"
        placeholder={label}
        className="px-7 [&::-webkit-search-cancel-button]:hidden"
      />
      {typed !== '' && (
        <button
          type="button"
          aria-label={t('grid.clear_search')}
          onClick={() => setTyped('')}
          className="absolute top-0 right-0 grid h-full w-7 place-items-center text-muted-foreground hover:text-foreground pointer-coarse:w-11"
        >
          <X aria-hidden className="size-4" />
        </button>
      )}
    </search>
  );
}
