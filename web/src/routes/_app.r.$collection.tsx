import { createFileRoute } from '@tanstack/react-router';
import { RecordsPage } from '@/records/grid/RecordsPage';
import { readGridSearch } from '@/records/view/search';

export const Route = createFileRoute('/_app/r/$collection')({
  validateSearch: readGridSearch,
  component: ListRoute,
});

function ListRoute() {
  const { collection } = Route.useParams();
  return <RecordsPage key={collection} collection={collection} />;
}
