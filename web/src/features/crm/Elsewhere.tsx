/** Places of the sidebar that are a list with a view of its own. */
import { Navigate } from '@tanstack/react-router';

/** Organisations that supply. */
export function SuppliersPage() {
  return (
    <Navigate
      to="/r/$collection"
      params={{ collection: 'organisations' }}
      search={{ view: 'module:suppliers' }}
      replace
    />
  );
}

/** Everything that happened with anybody. */
export function InteractionsPage() {
  return <Navigate to="/r/$collection" params={{ collection: 'activities' }} search={{}} replace />;
}
