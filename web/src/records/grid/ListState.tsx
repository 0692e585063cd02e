/** In place of rows: why there are none, and what to do about it. */
import { Inbox, Plus, SearchX, Trash2 } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import type { EntityMeta } from '@/api/types';
import { ProblemState } from '@/feedback/ProblemState';
import type { GridSearch } from '@/records/view/search';
import type { AddressState } from '@/records/view/state';
import { Button } from '@/ui/button';
import { EmptyState } from '@/ui/empty-state';

interface ListStateProps {
  entity: EntityMeta;
  query: { error: unknown; isError: boolean; refetch: () => unknown };
  search: GridSearch;
  filtered: boolean;
  change: AddressState['change'];
}

export function ListState({ entity, query, search, filtered, change }: ListStateProps) {
  const { t } = useTranslation();
  if (query.isError) {
    return <ProblemState error={query.error} onRetry={() => void query.refetch()} />;
  }
  if (search.q || filtered) {
    return (
      <EmptyState
        icon={<SearchX aria-hidden />}
        title={t('grid.nothing_found')}
        actions={
          <>
            {search.q && <Button onClick={() => change({ q: undefined })}>{t('grid.clear_search')}</Button>}
            {filtered && <Button onClick={() => change({ filter: null })}>{t('filter.clear')}</Button>}
          </>
        }
      >
        {search.q ? t('grid.nothing_for', { q: search.q }) : t('grid.nothing_matches')}
      </EmptyState>
    );
  }
  if (search.deleted) {
    return <EmptyState icon={<Trash2 aria-hidden />} title={t('grid.nothing_deleted')} />;
  }
  return (
    <EmptyState
      icon={<Inbox aria-hidden />}
      title={t('grid.empty', { label: entity.label_plural })}
      actions={
        entity.can.create && (
          <Button variant="primary" onClick={() => change({ create: true })}>
            <Plus aria-hidden /> {t('grid.create', { label: entity.label })}
          </Button>
        )
      }
    >
      {entity.can.create ? t('grid.empty_create') : t('grid.empty_wait')}
    </EmptyState>
  );
}
