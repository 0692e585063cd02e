/** A record with all that belongs to it: two columns where there is room, tabs where there is not. */
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useLocation, useNavigate } from '@tanstack/react-router';
import { RotateCcw } from 'lucide-react';
import { type ReactNode, Suspense, useId, useMemo, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { commentsQuery, filesQuery } from '@/api/activity';
import type { EntityMeta, Me, RecordPage } from '@/api/types';
import { useWidth } from '@/reader/measure';
import { ErrorSummary } from '@/records/form/ErrorSummary';
import { useErrors } from '@/records/form/useErrors';
import { Button } from '@/ui/button';
import { Skeleton } from '@/ui/skeleton';
import { Tab, TabList, TabPanel, Tabs } from '@/ui/tabs';
import { Activity } from './activity/Activity';
import { ConflictDialog } from './ConflictDialog';
import { DropZone } from './files/DropZone';
import { Files } from './files/Files';
import { useUploads } from './files/useUploads';
import { useOwnParts } from './own-parts';
import { ConfirmDialog, LeaveGuard } from './questions';
import { RecordFields } from './RecordFields';
import { RecordHeader, recordTitle } from './RecordHeader';
import { Related } from './Related';
import { SaveBar } from './SaveBar';
import {
  EditingProvider,
  type RecordSession,
  RecordSessionProvider,
  useEditing,
  useRecordSession,
} from './session';
import { useDelete } from './useDelete';
import { useEdit } from './useEdit';
import { useSave } from './useSave';

/** Below this, fields and activity stand behind tabs instead of beside each other. */
const TWO_COLUMNS = 960;

interface Part {
  name: string;
  label: string;
  count?: number;
  content: ReactNode;
}

/** Which tab is open stands in the address, so that a link leads to it. */
function useOpenTab(parts: Part[]) {
  const hash = useLocation({ select: (location) => location.hash });
  const navigate = useNavigate();
  const open = parts.find(({ name }) => name === hash)?.name ?? parts[0]?.name ?? '';
  const show = (name: string) =>
    void navigate({
      to: '.',
      search: true,
      hash: name === parts[0]?.name ? undefined : name,
      replace: true,
      resetScroll: false,
      hashScrollIntoView: false,
    });
  return { open, show };
}

function PartTabs({ parts }: { parts: Part[] }) {
  const { t } = useTranslation();
  const { open, show } = useOpenTab(parts);
  return (
    <Tabs value={open} onValueChange={show} className="flex min-h-0 flex-1 flex-col print:block">
      <TabList aria-label={t('record.parts')}>
        {parts.map(({ name, label, count }) => (
          <Tab key={name} value={name}>
            {label}
            {count !== undefined && count > 0 && (
              <span className="rounded-full bg-hover px-1.5 text-xs text-muted-foreground tabular-nums">
                {count}
              </span>
            )}
          </Tab>
        ))}
      </TabList>
      {parts.map(({ name, content }) => (
        <TabPanel
          key={name}
          value={name}
          className="min-h-0 flex-1 overflow-y-auto p-4 print:overflow-visible"
        >
          {content}
        </TabPanel>
      ))}
    </Tabs>
  );
}

/** What the entity leads with, while it is loaded in a place of its size. */
function Lead() {
  const { entity } = useRecordSession();
  const own = useOwnParts(entity.name);
  return (
    own?.Lead && (
      <Suspense fallback={<Skeleton className="h-64 rounded-md" />}>
        <own.Lead />
      </Suspense>
    )
  );
}

function Details({ writing }: { writing: boolean }) {
  const { entity, prefix } = useRecordSession();
  const own = useOwnParts(entity.name);
  const { errors } = useEditing();
  return (
    <div className="flex flex-col gap-4">
      {!own?.whole && <Lead />}
      <ErrorSummary errors={errors.errors} attempt={errors.attempt} fields={entity.fields} prefix={prefix} />
      <RecordFields writing={writing} />
    </div>
  );
}

function useParts(writing: boolean, uploads: ReturnType<typeof useUploads>) {
  const { t } = useTranslation();
  const { entity, page, me } = useRecordSession();
  const { id } = page.record;
  const own = useOwnParts(entity.name);
  const files = useQuery({ ...filesQuery(entity, id), enabled: entity.files });
  const comments = useInfiniteQuery({ ...commentsQuery(entity, id), enabled: entity.comments });
  const details: Part = {
    name: 'details',
    label: t('record.details'),
    content: <Details writing={writing} />,
  };
  const activity: Part = {
    name: 'activity',
    label: t('record.activity'),
    count: comments.data?.pages.flatMap(({ items }) => items).length,
    content: <Activity />,
  };
  const attachments: Part = {
    name: 'files',
    label: t('record.files'),
    count: files.data?.items.length,
    content: <Files entity={entity} id={id} me={me.id} manages={entity.can.manage} uploads={uploads} />,
  };
  const related: Part = { name: 'related', label: t('record.related'), content: <Related /> };
  const beside = [
    ...(entity.kind === 'record' || entity.comments ? [activity] : []),
    ...(entity.files ? [attachments] : []),
  ];
  const lead: Part = { name: 'lead', label: t('record.lead'), content: <Lead /> };
  const hasRelated = entity.related.some(({ name }) => !own?.related?.includes(name));
  return { lead: own?.whole ? lead : null, details, beside, related: hasRelated ? related : null };
}

interface BodyProps {
  writing: boolean;
  twoColumns: boolean;
}

function Body({ writing, twoColumns }: BodyProps) {
  const { t } = useTranslation();
  const { entity, page } = useRecordSession();
  const uploads = useUploads(entity, page.record.id);
  const { lead, details, beside, related } = useParts(writing, uploads);
  const one = [...(lead ? [lead] : []), details, ...beside, ...(related ? [related] : [])];
  return (
    <>
      {entity.files && <DropZone onFiles={(files) => void uploads.add(files)} />}
      {twoColumns && !lead && beside.length > 0 ? (
        <div className="flex min-h-0 flex-1 print:block">
          <div className="min-w-0 flex-1 overflow-y-auto p-4 print:overflow-visible">
            <div className="flex max-w-5xl flex-col gap-8">
              {details.content}
              {related && <Related />}
            </div>
          </div>
          <aside
            aria-label={t('record.activity')}
            className="flex w-[38%] max-w-xl min-w-96 shrink-0 flex-col border-l print:w-auto print:border-0"
          >
            <PartTabs parts={beside} />
          </aside>
        </div>
      ) : one.length > 1 ? (
        <PartTabs parts={one} />
      ) : (
        <div className="min-h-0 flex-1 overflow-y-auto p-4">{details.content}</div>
      )}
    </>
  );
}

/** It was deleted while one looked at it. */
function GoneBanner({ onRestore }: { onRestore: () => void }) {
  const { t } = useTranslation();
  const { page } = useRecordSession();
  return (
    <div
      role="alert"
      className="flex flex-wrap items-center gap-2 border-b bg-danger-surface px-4 py-2 text-danger"
    >
      <span className="mr-auto">{t('record.gone')}</span>
      {page.can.delete && (
        <Button onClick={onRestore}>
          <RotateCcw aria-hidden /> {t('action.restore')}
        </Button>
      )}
    </div>
  );
}

function Frame({ missing, onClose }: { missing: boolean; onClose?: () => void }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const { entity, page, mode } = useRecordSession();
  const { edit, save } = useEditing();
  // All fields are open for writing from this save on, until the next.
  const [writingSince, setWritingSince] = useState<number | null>(null);
  const writing = writingSince === save.saves;
  const [box, width] = useWidth<HTMLDivElement>();
  const gone = useRef(false);
  const title = recordTitle(entity, edit.values, t);
  const leave = () => {
    gone.current = true;
    edit.discard();
    if (onClose) {
      onClose();
    } else {
      void navigate({ to: '/r/$collection', params: { collection: entity.collection } });
    }
  };
  const removal = useDelete(entity, page.record, title, leave);
  const { question } = save;
  return (
    <article ref={box} aria-label={title} className="flex h-full flex-col print:block print:h-auto">
      <RecordHeader
        writing={writing}
        onWriting={() => setWritingSince(writing ? null : save.saves)}
        onDelete={removal.remove}
        onClose={onClose}
      />
      {missing && <GoneBanner onRestore={removal.restore} />}
      <Body writing={writing} twoColumns={mode === 'page' && (width ?? 0) >= TWO_COLUMNS} />
      <SaveBar />
      <LeaveGuard gone={gone} />
      {question?.kind === 'conflict' && (
        <ConflictDialog
          conflicts={question.conflicts}
          onDecide={(choices) => void save.decide(choices)}
          onClose={save.leaveQuestion}
        />
      )}
      {question?.kind === 'confirm' && (
        <ConfirmDialog
          title={question.title}
          text={question.text}
          verb={question.verb}
          onConfirm={() => void question.confirm()}
          onClose={save.leaveQuestion}
        />
      )}
      {removal.question && (
        <ConfirmDialog
          title={removal.question.title}
          text={removal.question.text}
          verb={t('action.delete')}
          danger
          onConfirm={removal.question.confirm}
          onClose={removal.leaveQuestion}
        />
      )}
    </article>
  );
}

interface RecordViewProps {
  entity: EntityMeta;
  page: RecordPage;
  me: Me;
  /** As the record is called in the address: its id or its number. */
  reference: string;
  mode: 'panel' | 'page';
  /** It can no longer be read. */
  missing: boolean;
  onClose?: () => void;
}

export function RecordView({ entity, page, me, reference, mode, missing, onClose }: RecordViewProps) {
  const prefix = useId();
  const edit = useEdit(entity, page);
  const errors = useErrors(entity.fields, entity.fields);
  const save = useSave({ entity, page, reference, edit, errors });
  const session = useMemo(
    (): RecordSession => ({ entity, page, me, prefix, mode }),
    [entity, page, me, prefix, mode],
  );
  return (
    <RecordSessionProvider value={session}>
      <EditingProvider value={{ edit, errors, save }}>
        <Frame missing={missing} onClose={onClose} />
      </EditingProvider>
    </RecordSessionProvider>
  );
}
