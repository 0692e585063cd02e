/** Any other address: behind the log-in like every page, and then in the frame, from where one finds back. */
import { createFileRoute } from '@tanstack/react-router';
import { NotFoundPage } from '@/feedback/NotFoundPage';

export const Route = createFileRoute('/_app/$')({ component: NotFoundPage });
