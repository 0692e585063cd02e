/** A list to tick entries of, with a field above it that narrows it down. */
import { Command } from 'cmdk';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Checkmark } from '@/ui/checkmark';
import { cn } from '@/ui/cn';

export interface ChecklistEntry {
  value: string;
  label: string;
  content?: ReactNode;
}

interface ChecklistProps {
  entries: ChecklistEntry[];
  chosen: string[];
  /** Radio buttons instead of boxes: one at most. */
  single?: boolean;
  onChange: (chosen: string[]) => void;
  /** Given when the server narrows the list down; otherwise it is done here. */
  search?: { text: string; onChange: (text: string) => void; pending: boolean };
}

const FEW = 8;

export function Checklist({ entries, chosen, single = false, onChange, search }: ChecklistProps) {
  const { t } = useTranslation();
  const toggle = (value: string) => {
    if (single) {
      onChange([value]);
    } else {
      onChange(chosen.includes(value) ? chosen.filter((entry) => entry !== value) : [...chosen, value]);
    }
  };
  return (
    <Command label={t('filter.value')} shouldFilter={search === undefined} loop>
      <Command.Input
        autoFocus
        value={search?.text}
        onValueChange={search?.onChange}
        placeholder={t('filter.find')}
        className={cn('control field mb-1', search === undefined && entries.length <= FEW && 'sr-only')}
      />
      <Command.List label={t('filter.value')} className="max-h-64 overflow-y-auto">
        {entries.map(({ value, label, content }) => {
          const on = chosen.includes(value);
          return (
            <Command.Item
              key={value}
              value={value}
              keywords={[label]}
              onSelect={() => toggle(value)}
              aria-checked={on}
              className="flex min-h-7 cursor-default items-center gap-2 rounded-md px-2 data-[selected=true]:bg-hover pointer-coarse:min-h-11"
            >
              <Checkmark checked={on} round={single} />
              {content ?? <span className="truncate">{label}</span>}
            </Command.Item>
          );
        })}
      </Command.List>
      <Command.Empty className="px-2 py-3 text-muted-foreground">
        {search?.pending ? t('palette.searching') : t('palette.nothing')}
      </Command.Empty>
    </Command>
  );
}
