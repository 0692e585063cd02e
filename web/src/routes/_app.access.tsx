import { createFileRoute } from '@tanstack/react-router';
import { MatrixPage } from '@/features/access/MatrixPage';

export const Route = createFileRoute('/_app/access')({ component: MatrixPage });
