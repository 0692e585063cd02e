/** Pages that a module's menu names and that are not a list of records. */
import { createFileRoute } from '@tanstack/react-router';
import { type ComponentType, lazy } from 'react';
import { NotFoundPage } from '@/feedback/NotFoundPage';

/** By the name the menu gives them. A module without a page of its own needs no entry. */
const pages: Record<string, ComponentType> = {
  'self-service': lazy(() =>
    import('@/features/self-service/SelfServicePage').then(({ SelfServicePage }) => ({
      default: SelfServicePage,
    })),
  ),
  pipeline: lazy(() => import('@/features/crm/BoardPage').then(({ BoardPage }) => ({ default: BoardPage }))),
  tasks: lazy(() => import('@/features/crm/TasksPage').then(({ TasksPage }) => ({ default: TasksPage }))),
  forecast: lazy(() =>
    import('@/features/crm/ForecastPage').then(({ ForecastPage }) => ({ default: ForecastPage })),
  ),
  suppliers: lazy(() =>
    import('@/features/crm/Elsewhere').then(({ SuppliersPage }) => ({ default: SuppliersPage })),
  ),
  interactions: lazy(() =>
    import('@/features/crm/Elsewhere').then(({ InteractionsPage }) => ({ default: InteractionsPage })),
  ),
};

interface PageSearch {
  /** The record that is open in the page: its number, or its id. */
  open?: string;
}

export const Route = createFileRoute('/_app/p/$page')({
  validateSearch: ({ open }: Record<string, unknown>): PageSearch =>
    typeof open === 'string' && open !== '' ? { open } : {},
  component: ModulePage,
});

function ModulePage() {
  const { page } = Route.useParams();
  const Page = pages[page];
  return Page ? <Page /> : <NotFoundPage />;
}
