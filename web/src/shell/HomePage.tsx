/** Where one arrives: a way to each place of the menu. */
import { useSuspenseQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { appMetaQuery } from '@/api/meta';
import { Icon } from '@/ui/icon';
import { menuKey, menuTarget } from './navigation';

export function HomePage() {
  const { t } = useTranslation();
  const { data: app } = useSuspenseQuery(appMetaQuery);
  return (
    <div className="mx-auto max-w-4xl p-6">
      <h1 className="text-xl font-semibold">{t('home.title', { name: app.user.full_name.split(' ')[0] })}</h1>
      {app.menu.map((module) => (
        <section key={module.module} className="mt-6">
          <h2 className="pb-2 font-medium text-muted-foreground">{module.label}</h2>
          <ul className="grid grid-cols-[repeat(auto-fill,minmax(13rem,1fr))] gap-2">
            {module.items.map((item) => (
              <li key={menuKey(item)}>
                <Link
                  {...menuTarget(item)}
                  className="flex min-h-11 items-center gap-2.5 rounded-md border px-3 py-2 font-medium hover:bg-hover"
                >
                  <Icon name={item.icon} className="text-muted-foreground" />
                  <span className="truncate">{item.label}</span>
                </Link>
              </li>
            ))}
          </ul>
        </section>
      ))}
    </div>
  );
}
