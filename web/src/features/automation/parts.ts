/** What the entities of the automation show of their own, each loaded with the first page that needs it. */
import { lazy } from 'react';
import type { OwnParts } from '@/records/record/own-parts';

const workflow = () => import('./rule/WorkflowParts');
const execution = () => import('./execution/ExecutionParts');
const approval = () => import('./approval/ApprovalParts');

export const AUTOMATION: Record<string, OwnParts> = {
  workflow: {
    fields: [
      'status',
      'trigger',
      'conditions',
      'actions',
      'format',
      'definition',
      'revision',
      'paused_reason',
      'armed',
    ],
    Actions: lazy(() => workflow().then(({ WorkflowActions }) => ({ default: WorkflowActions }))),
    Body: lazy(() => workflow().then(({ WorkflowBody }) => ({ default: WorkflowBody }))),
    Tools: lazy(() =>
      import('./ready/ReadyWorkflows').then(({ ReadyWorkflows }) => ({ default: ReadyWorkflows })),
    ),
  },
  execution: {
    fields: [
      'status',
      'attention',
      'entity',
      'record',
      'subject',
      'trigger',
      'conditions',
      'course',
      'error',
      'chain',
      'depth',
      'worker',
      'lease_until',
      'crashes',
    ],
    Actions: lazy(() => execution().then(({ ExecutionActions }) => ({ default: ExecutionActions }))),
    Body: lazy(() => execution().then(({ ExecutionBody }) => ({ default: ExecutionBody }))),
  },
  approval: {
    fields: [
      'message',
      'status',
      'place',
      'entity',
      'record',
      'subject',
      'quorum',
      'agreed',
      'refused',
      'stage',
      'stages',
      'self_allowed',
      'by_mail',
      'remind_at',
    ],
    Actions: lazy(() => approval().then(({ ApprovalActions }) => ({ default: ApprovalActions }))),
    Body: lazy(() => approval().then(({ ApprovalBody }) => ({ default: ApprovalBody }))),
    Home: lazy(() => import('./approval/Inbox').then(({ Inbox }) => ({ default: Inbox }))),
  },
};
