/** The address one tells people, of the page where they ask for help. */
import { createFileRoute, redirect } from '@tanstack/react-router';

export const Route = createFileRoute('/_app/self-service')({
  beforeLoad: () => {
    throw redirect({ to: '/p/$page', params: { page: 'self-service' }, replace: true });
  },
});
