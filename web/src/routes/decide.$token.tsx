/** Where the link of a mail leads: its own page, without a session. */
import { createFileRoute } from '@tanstack/react-router';
import { MailedQuestion } from '@/features/automation/approval/MailedQuestion';

export const Route = createFileRoute('/decide/$token')({ component: DecideRoute });

function DecideRoute() {
  const { token } = Route.useParams();
  return <MailedQuestion token={token} />;
}
