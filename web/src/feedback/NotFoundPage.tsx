import { Link } from '@tanstack/react-router';
import { SearchX } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { Button } from '@/ui/button';
import { EmptyState } from '@/ui/empty-state';

export function NotFoundPage() {
  const { t } = useTranslation();
  return (
    <EmptyState
      icon={<SearchX aria-hidden />}
      title={<h1>{t('problem.missing_title')}</h1>}
      actions={
        <Button asChild variant="primary">
          <Link to="/">{t('home.back')}</Link>
        </Button>
      }
    >
      {t('problem.missing_page')}
    </EmptyState>
  );
}
