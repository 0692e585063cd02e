/** In which company one works, for whoever works in several. */
import { Building2, ChevronsUpDown } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { company } from '@/api/company';
import type { AppMeta } from '@/api/types';
import { Menu, MenuContent, MenuLabel, MenuRadioGroup, MenuRadioItem, MenuTrigger } from '@/ui/menu';

const ALL = '*';

export function CompanySwitcher({ app }: { app: AppMeta }) {
  const { t } = useTranslation();
  const companies = app.companies;
  if (companies.length < 2) {
    return null;
  }
  const chosen = company.get() ?? ALL;
  const name = companies.find(({ id }) => id === chosen)?.name ?? t('company.all');
  const choose = (id: string) => {
    company.choose(id === ALL ? null : id);
    // What is on screen may not be there in the other company.
    location.assign('/');
  };
  return (
    <Menu>
      <MenuTrigger
        aria-label={t('company.switch', { name })}
        className="flex min-h-8 w-full items-center gap-2 rounded-md border px-2 text-left hover:bg-hover pointer-coarse:min-h-11 [&_svg]:size-4 [&_svg]:shrink-0"
      >
        <Building2 aria-hidden />
        <span className="min-w-0 flex-1 truncate">{name}</span>
        <ChevronsUpDown aria-hidden className="text-muted-foreground" />
      </MenuTrigger>
      <MenuContent align="start" className="max-h-96 w-60 overflow-y-auto">
        <MenuLabel>{t('company.title')}</MenuLabel>
        <MenuRadioGroup value={chosen} onValueChange={choose}>
          <MenuRadioItem value={ALL}>{t('company.all')}</MenuRadioItem>
          {companies.map(({ id, name }) => (
            <MenuRadioItem key={id} value={id}>
              {name}
            </MenuRadioItem>
          ))}
        </MenuRadioGroup>
      </MenuContent>
    </Menu>
  );
}
