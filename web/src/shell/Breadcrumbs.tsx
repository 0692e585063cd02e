import { skipToken, useQuery } from '@tanstack/react-query';
import { Link, useParams, useRouterState } from '@tanstack/react-router';
import { ChevronRight } from 'lucide-react';
import { useEffect } from 'react';
import { useTranslation } from 'react-i18next';
import { recordKeys } from '@/api/records';
import type { AppMeta, RecordPage } from '@/api/types';
import { menuItems } from './navigation';

interface Crumb {
  key: string;
  label: string;
  collection?: string;
}

/** The record's number or title once its page has been read; its id until then. */
function useRecordName(
  entity: string | undefined,
  titleField: string | null,
  id: string | undefined,
): string {
  // Only listens: the record's own page is what reads it.
  const { data } = useQuery<RecordPage>({
    queryKey: recordKeys.record(entity ?? '', id ?? ''),
    queryFn: skipToken,
  });
  const name = data?.record.number ?? (titleField ? data?.record[titleField] : undefined);
  return typeof name === 'string' ? name : '…';
}

function useCrumbs(app: AppMeta | undefined): Crumb[] {
  const { t } = useTranslation();
  const params = useParams({ strict: false });
  const path = useRouterState({ select: (state) => state.location.pathname });
  const entity = app?.entities.find(({ collection }) => collection === params.collection);
  const recordName = useRecordName(entity?.name, entity?.title_field ?? null, params.id);
  if (params.collection !== undefined) {
    const crumbs: Crumb[] = [
      { key: 'list', label: entity?.label_plural ?? params.collection, collection: params.collection },
    ];
    return params.id === undefined ? crumbs : [...crumbs, { key: 'record', label: recordName }];
  }
  if (params.page !== undefined) {
    const item = app && menuItems(app).find(({ page }) => page === params.page);
    return [{ key: 'page', label: item?.label ?? '' }];
  }
  if (path === '/access') {
    return [{ key: 'access', label: t('access.title') }];
  }
  return path === '/account' ? [{ key: 'account', label: t('user.account') }] : [];
}

export function Breadcrumbs({ app }: { app: AppMeta | undefined }) {
  const { t } = useTranslation();
  const crumbs = useCrumbs(app);
  const title = [...crumbs.map(({ label }) => label).reverse(), app?.name ?? 'OpsFlux']
    .filter(Boolean)
    .join(' · ');
  useEffect(() => {
    document.title = title;
  }, [title]);
  return (
    <nav aria-label={t('shell.breadcrumbs')} className="min-w-0 flex-1">
      <ol className="flex min-w-0 items-center gap-1">
        {crumbs.map((crumb, index) => {
          const last = index === crumbs.length - 1;
          return (
            <li key={crumb.key} className="flex min-w-0 items-center gap-1 last:shrink">
              {index > 0 && <ChevronRight aria-hidden className="size-3.5 shrink-0 text-muted-foreground" />}
              {crumb.collection && !last ? (
                <Link
                  to="/r/$collection"
                  params={{ collection: crumb.collection }}
                  className="truncate text-muted-foreground hover:text-foreground"
                >
                  {crumb.label}
                </Link>
              ) : (
                <span aria-current={last ? 'page' : undefined} className="truncate font-medium">
                  {crumb.label}
                </span>
              )}
            </li>
          );
        })}
      </ol>
    </nav>
  );
}
