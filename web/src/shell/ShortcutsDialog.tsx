import { useTranslation } from 'react-i18next';
import { Dialog, DialogContent } from '@/ui/dialog';
import { Kbd } from '@/ui/kbd';
import { COMMAND_KEY } from './shortcuts';

/** Each shortcut: the text that says what it does, and the keys of each way to do it. */
const GROUPS: { title: string; keys: [text: string, ...ways: string[][]][] }[] = [
  {
    title: 'shortcuts.everywhere',
    keys: [
      ['shortcuts.palette', [COMMAND_KEY, 'K']],
      ['shortcuts.help', ['?']],
      ['shortcuts.close', ['Esc']],
    ],
  },
  {
    title: 'shortcuts.list',
    keys: [
      ['shortcuts.search', ['/']],
      ['shortcuts.move', ['↑'], ['↓'], ['←'], ['→']],
      ['shortcuts.row_ends', ['Home'], ['End']],
      ['shortcuts.page', ['PgUp'], ['PgDn']],
      ['shortcuts.list_ends', [COMMAND_KEY, 'Home'], [COMMAND_KEY, 'End']],
      ['shortcuts.open', ['Enter']],
      ['shortcuts.select', ['Space']],
      ['shortcuts.extend', ['Shift', '↑'], ['Shift', '↓']],
      ['shortcuts.select_all', [COMMAND_KEY, 'A']],
      ['shortcuts.copy', [COMMAND_KEY, 'C']],
    ],
  },
  {
    title: 'shortcuts.header',
    keys: [
      ['shortcuts.sort', ['Enter']],
      ['shortcuts.sort_more', ['Shift', 'Enter']],
      ['shortcuts.resize', ['Alt', '←'], ['Alt', '→']],
      ['shortcuts.reorder', ['Alt', 'Shift', '←'], ['Alt', 'Shift', '→']],
    ],
  },
  {
    title: 'shortcuts.record',
    keys: [['shortcuts.save', [COMMAND_KEY, 'S']]],
  },
];

interface ShortcutsDialogProps {
  open: boolean;
  onOpenChange: (open: boolean) => void;
}

export function ShortcutsDialog({ open, onOpenChange }: ShortcutsDialogProps) {
  const { t } = useTranslation();
  return (
    <Dialog open={open} onOpenChange={onOpenChange}>
      <DialogContent title={t('shortcuts.title')} closeLabel={t('action.close')} className="sm:w-xl">
        <div className="flex flex-col gap-5">
          {GROUPS.map(({ title, keys }) => (
            <section key={title}>
              <h3 className="pb-1 text-xs font-medium text-muted-foreground">{t(title)}</h3>
              <dl>
                {keys.map(([text, ...ways]) => (
                  <div
                    key={text}
                    className="flex items-center justify-between gap-4 border-b py-1 last:border-b-0"
                  >
                    <dt>{t(text)}</dt>
                    <dd className="flex shrink-0 gap-2">
                      {ways.map((way) => (
                        <span key={way.join()} className="flex gap-0.5">
                          {way.map((key) => (
                            <Kbd key={key}>{key}</Kbd>
                          ))}
                        </span>
                      ))}
                    </dd>
                  </div>
                ))}
              </dl>
            </section>
          ))}
        </div>
      </DialogContent>
    </Dialog>
  );
}
