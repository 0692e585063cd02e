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
