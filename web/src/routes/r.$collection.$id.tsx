import { createFileRoute } from '@tanstack/react-router';
import { RecordPanel } from '@/records/record/RecordPanel';

export const Route = createFileRoute('/r/$collection/$id')({ component: RecordRoute });

function RecordRoute() {
  const { collection, id } = Route.useParams();
  return <RecordPanel collection={collection} id={id} mode="page" />;
}
