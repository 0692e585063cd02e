/** One approval: what is asked, about which record, where it stands, and the two answers. */
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { entityQuery, fieldNamed } from '@/api/meta';
import { listQuery } from '@/api/records';
import type { Condition, EntityMeta, Me, RecordData } from '@/api/types';
import { FieldDisplay } from '@/records/fields/FieldDisplay';
import { useRecordSession } from '@/records/record/session';
import { About } from '../about';
import { Decide } from './decide';
import { mayDecide, Standing } from './standing';

function VotedAlready({ vote, approval, me }: { vote: EntityMeta; approval: RecordData; me: Me }) {
  const filter: Condition = {
    all: [
      { field: 'approval', op: 'eq', value: approval.id },
      { field: 'user', op: 'eq', value: me.id },
    ],
  };
  const { data } = useInfiniteQuery(listQuery(vote, { filter, limit: 1 }));
  const title = String(approval.title ?? '');
  return data && mayDecide(approval, me.id, data.pages[0]?.items.length !== 0) ? (
    <Decide id={approval.id} title={title} />
  ) : null;
}

export function ApprovalActions() {
  const { entity, page, me } = useRecordSession();
  const { data: vote } = useQuery(entityQuery('approval_vote'));
  const { record, labels } = page;
  const status = fieldNamed(entity, 'status');
  return (
    <div className="flex flex-col gap-2">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1.5">
        {status && (
          <FieldDisplay
            field={status}
            value={record.status}
            variant="line"
            labels={labels}
            states={entity.states}
          />
        )}
        <Standing approval={record} />
        <About entity={record.entity} record={record.record} subject={record.subject} />
      </div>
      {vote && mayDecide(record, me.id, false) && <VotedAlready vote={vote} approval={record} me={me} />}
    </div>
  );
}

export function ApprovalBody() {
  const { t } = useTranslation();
  const { page } = useRecordSession();
  const { message } = page.record;
  if (typeof message !== 'string' || message === '') {
    return null;
  }
  return (
    <section aria-label={t('automation.approval.message')}>
      <h2 className="mb-2 font-semibold">{t('automation.approval.message')}</h2>
      <p className="max-w-2xl break-words whitespace-pre-wrap">{message}</p>
    </section>
  );
}
