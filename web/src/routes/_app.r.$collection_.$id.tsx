import { createFileRoute } from '@tanstack/react-router';
import { RecordPanel } from '@/records/record/RecordPanel';

export const Route = createFileRoute('/_app/r/$collection_/$id')({ component: RecordRoute });

function RecordRoute() {
  const { collection, id } = Route.useParams();
  return <RecordPanel key={`${collection}/${id}`} collection={collection} id={id} mode="page" />;
}
