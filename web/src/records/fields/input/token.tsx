import { X } from 'lucide-react';
import { useTranslation } from 'react-i18next';

interface TokenProps {
  text: string;
  onRemove: () => void;
  disabled?: boolean;
}

/** One of several chosen values, with its way out. */
export function Token({ text, onRemove, disabled }: TokenProps) {
  const { t } = useTranslation();
  return (
    <span className="inline-flex h-5.5 max-w-full items-center gap-0.5 rounded-sm bg-hover pl-1.5 text-xs font-medium pointer-coarse:h-9 pointer-coarse:text-sm">
      <span className="truncate">{text}</span>
      <button
        type="button"
        disabled={disabled}
        aria-label={t('field.remove', { name: text })}
        onClick={onRemove}
        className="grid h-full w-5 place-items-center rounded-sm text-muted-foreground hover:text-foreground pointer-coarse:w-9"
      >
        <X aria-hidden className="size-3" />
      </button>
    </span>
  );
}
