import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import type { AppMeta, MenuItem } from '@/api/types';
import { Icon } from '@/ui/icon';
import { Skeleton } from '@/ui/skeleton';
import { CompanySwitcher } from './CompanySwitcher';
import { menuKey, menuTarget } from './navigation';

interface SidebarProps {
  app: AppMeta | undefined;
  /** Called when a place was chosen: a drawer closes then. */
  onNavigate?: () => void;
}

function Entry({ item, onNavigate }: { item: MenuItem; onNavigate?: () => void }) {
  return (
    <li>
      <Link
        {...menuTarget(item)}
        onClick={onNavigate}
        activeOptions={{ includeSearch: false }}
        className="flex min-h-7 items-center gap-2 rounded-md px-2 text-muted-foreground hover:bg-hover hover:text-foreground pointer-coarse:min-h-11"
        activeProps={{ className: 'bg-hover font-medium text-foreground' }}
      >
        <Icon name={item.icon} />
        <span className="truncate">{item.label}</span>
      </Link>
    </li>
  );
}

function Placeholder() {
  return (
    <div className="flex flex-col gap-3 px-2 pt-2">
      {['w-24', 'w-32', 'w-28', 'w-36', 'w-20'].map((width) => (
        <Skeleton key={width} className={`h-4 ${width}`} />
      ))}
    </div>
  );
}

export function Sidebar({ app, onNavigate }: SidebarProps) {
  const { t } = useTranslation();
  return (
    <div className="flex h-full flex-col overflow-y-auto px-2 pb-4">
      <nav aria-label={t('shell.navigation')}>
        <Link
          to="/"
          onClick={onNavigate}
          className="flex h-11 shrink-0 items-center gap-2 rounded-md px-2 text-base font-semibold"
        >
          <img src="/favicon.svg" alt="" className="size-5" />
          <span className="truncate">{app?.name ?? 'OpsFlux'}</span>
        </Link>
        {app && <CompanySwitcher app={app} />}
        {app ? (
          app.menu.map((module) => (
            <section key={module.module} className="mt-3">
              <h2 className="px-2 pb-1 text-xs font-medium text-muted-foreground">{module.label}</h2>
              <ul className="flex flex-col gap-px">
                {module.items.map((item) => (
                  <Entry key={menuKey(item)} item={item} onNavigate={onNavigate} />
                ))}
              </ul>
            </section>
          ))
        ) : (
          <Placeholder />
        )}
      </nav>
    </div>
  );
}
