/** Pages that a module's menu names and that are not a list of records. */
import { createFileRoute } from '@tanstack/react-router';
import { type ComponentType, lazy } from 'react';
import { KPI_PAGES } from '@/features/kpi/pages';
import { NotFoundPage } from '@/feedback/NotFoundPage';

/** By the name the menu gives them. A module without a page of its own needs no entry. */
const pages: Record<string, ComponentType> = {
  ...KPI_PAGES,
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
  /** Where in it one is: a slide, a year. */
  at?: string;
  /** What it is arranged by. */
  by?: string;
}

/** The router reads `at=2026` as a number. */
function text(value: unknown): string | undefined {
  const word = typeof value === 'number' ? String(value) : value;
  return typeof word === 'string' && word !== '' ? word : undefined;
}

export const Route = createFileRoute('/_app/p/$page')({
  validateSearch: ({ open, at, by }: Record<string, unknown>): PageSearch => ({
    open: text(open),
    at: text(at),
    by: text(by),
  }),
  component: ModulePage,
});

function ModulePage() {
  const { page } = Route.useParams();
  const Page = pages[page];
  return Page ? <Page /> : <NotFoundPage />;
}
