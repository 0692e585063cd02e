/** How far an approval has come. */
import { useTranslation } from 'react-i18next';
import type { RecordData } from '@/api/types';

const count = (value: unknown) => (typeof value === 'number' ? value : 0);

export function Standing({ approval }: { approval: RecordData }) {
  const { t } = useTranslation();
  const needed = Math.max(1, count(approval.quorum));
  const agreed = count(approval.agreed);
  const refused = count(approval.refused);
  const text = t('automation.approval.stands', { agreed, needed });
  return (
    <span className="inline-flex flex-wrap items-center gap-2 text-muted-foreground">
      {count(approval.stages) > 1 && (
        <span>
          {t('automation.approval.stage', { step: count(approval.stage), of: count(approval.stages) })}
        </span>
      )}
      <progress
        aria-label={text}
        max={needed}
        value={agreed}
        className="h-1.5 w-16 accent-[hsl(var(--accent))]"
      />
      {text}
      {refused > 0 && <span>{t('automation.approval.refused', { count: refused })}</span>}
    </span>
  );
}

/** Who may say something to it: those asked, those it was escalated to, those who stand in for them. */
export const ASKED_FIELDS = ['approvers', 'escalated_to', 'deputies'];

export function mayDecide(approval: RecordData, me: string, decided: boolean): boolean {
  const { status, requester, self_allowed: allowed } = approval;
  const asked = ASKED_FIELDS.some((name) => {
    const people = approval[name];
    return Array.isArray(people) && people.includes(me);
  });
  return status === 'PENDING' && !decided && asked && (requester !== me || allowed === true);
}
