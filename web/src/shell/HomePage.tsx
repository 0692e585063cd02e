/** Where one arrives: a way to each place of the menu, and how much waits in each of its views. */
import { useQuery, useSuspenseQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { appMetaQuery, entityQuery } from '@/api/meta';
import { countQuery } from '@/api/records';
import type { EntityMeta, MenuItem } from '@/api/types';
import { useReader } from '@/reader/context';
import { formatInteger } from '@/reader/format';
import { type ViewChoice, viewChoices } from '@/records/view/effective';
import { Icon } from '@/ui/icon';
import { menuKey, menuTarget } from './navigation';

const line = 'flex min-h-8 items-center gap-2.5 px-3 hover:bg-hover pointer-coarse:min-h-11';

function View({ entity, view }: { entity: EntityMeta; view: ViewChoice }) {
  const { t } = useTranslation();
  const { language } = useReader();
  const { data } = useQuery(countQuery(entity, view.definition.filter ?? null));
  const number = data && formatInteger(data.total, language);
  return (
    <li>
      <Link
        to="/r/$collection"
        params={{ collection: entity.collection }}
        search={{ view: view.key }}
        className={line}
      >
        <span className="min-w-0 flex-1 truncate">{view.label}</span>
        <span className="shrink-0 text-muted-foreground tabular-nums">
          {data?.more ? t('grid.at_least', { number }) : number}
        </span>
      </Link>
    </li>
  );
}

/** The views a module brings: what people of this house look for each day. */
function Views({ entity: name, me }: { entity: string; me: string }) {
  const { data: entity } = useQuery(entityQuery(name));
  const views = entity ? viewChoices(entity, [], me) : [];
  return (
    entity &&
    views.length > 0 && (
      <ul className="border-t py-1">
        {views.map((view) => (
          <View key={view.key} entity={entity} view={view} />
        ))}
      </ul>
    )
  );
}

function Place({ item, me }: { item: MenuItem; me: string }) {
  return (
    <li className="mb-2 break-inside-avoid overflow-hidden rounded-md border">
      <Link {...menuTarget(item)} className={`${line} min-h-11 font-medium`}>
        <Icon name={item.icon} className="text-muted-foreground" />
        <span className="truncate">{item.label}</span>
      </Link>
      {item.entity !== undefined && <Views entity={item.entity} me={me} />}
    </li>
  );
}

export function HomePage() {
  const { t } = useTranslation();
  const { data: app } = useSuspenseQuery(appMetaQuery);
  return (
    <div className="mx-auto max-w-5xl p-6">
      <h1 className="text-xl font-semibold">{t('home.title', { name: app.user.full_name.split(' ')[0] })}</h1>
      {app.menu.map((module) => (
        <section key={module.module} className="mt-6">
          <h2 className="pb-2 font-medium text-muted-foreground">{module.label}</h2>
          <ul className="columns-[17rem] gap-2">
            {module.items.map((item) => (
              <Place key={menuKey(item)} item={item} me={app.user.id} />
            ))}
          </ul>
        </section>
      ))}
    </div>
  );
}
