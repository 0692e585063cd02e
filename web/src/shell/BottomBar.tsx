import { Link } from '@tanstack/react-router';
import { Menu, Search } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import type { AppMeta } from '@/api/types';
import { Icon } from '@/ui/icon';
import { menuItems, menuKey, menuTarget } from './navigation';

interface BottomBarProps {
  app: AppMeta | undefined;
  onSearch: () => void;
  onMenu: () => void;
}

const entry =
  'flex h-14 min-w-0 flex-1 flex-col items-center justify-center gap-0.5 px-1 text-xs text-muted-foreground [&_svg]:size-5';

/** On a phone: the places used most, in reach of the thumb. */
export function BottomBar({ app, onSearch, onMenu }: BottomBarProps) {
  const { t } = useTranslation();
  return (
    <nav
      aria-label={t('shell.navigation')}
      className="flex shrink-0 border-t bg-surface pb-[env(safe-area-inset-bottom)] sm:hidden print:hidden"
    >
      {(app ? menuItems(app) : []).slice(0, 2).map((item) => (
        <Link
          key={menuKey(item)}
          {...menuTarget(item)}
          activeOptions={{ includeSearch: false }}
          className={entry}
          activeProps={{ className: 'text-accent font-medium' }}
        >
          <Icon name={item.icon} />
          <span className="max-w-full truncate">{item.label}</span>
        </Link>
      ))}
      <button type="button" onClick={onSearch} className={entry}>
        <Search aria-hidden />
        {t('shell.search')}
      </button>
      <button type="button" onClick={onMenu} className={entry}>
        <Menu aria-hidden />
        {t('shell.menu')}
      </button>
    </nav>
  );
}
