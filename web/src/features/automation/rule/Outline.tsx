/** The whole form of a rule, as an outline to read: what is nested stands within what it belongs to. */
import { useTranslation } from 'react-i18next';
import { fieldNamed } from '@/api/meta';
import { RecordField } from '@/records/record/RecordField';
import { useEditing, useRecordSession } from '@/records/record/session';
import { useStepLabel } from './Steps';

interface Node {
  type?: unknown;
  id?: unknown;
  name?: unknown;
  use?: unknown;
  [member: string]: unknown;
}

function nodes(value: unknown): Node[] {
  return Array.isArray(value)
    ? value.filter((entry): entry is Node => typeof entry === 'object' && entry !== null)
    : [];
}

interface Block {
  label: string;
  steps: Node[];
}

/** The lists of steps within a step, each with what leads into it. */
function useBlocks() {
  const { t } = useTranslation();
  return (node: Node): Block[] => {
    const cases = nodes(node.cases).map((one, at) => ({
      label: t('automation.outline.case', { place: at + 1 }),
      steps: nodes(one.steps),
    }));
    const branches = nodes(node.branches).map((one, at) => ({
      label: t('automation.outline.branch', { place: at + 1 }),
      steps: nodes(one.steps),
    }));
    const rest = [
      { label: t('automation.outline.else'), steps: nodes(node.else) },
      { label: t('automation.outline.each'), steps: nodes(node.steps) },
      { label: t('automation.outline.on_reject'), steps: nodes(node.on_reject) },
    ].filter(({ steps }) => steps.length > 0);
    return [...cases, ...branches, ...rest];
  };
}

function OutlineList({ steps }: { steps: Node[] }) {
  const labelOf = useStepLabel();
  const blocksOf = useBlocks();
  return (
    <ol className="flex list-decimal flex-col gap-1 pl-6">
      {steps.map((node, at) => {
        const type = typeof node.use === 'string' ? node.use : String(node.type ?? '');
        return (
          // biome-ignore lint/suspicious/noArrayIndexKey: an outline is read only
          <li key={at}>
            <span className="font-medium">{typeof node.name === 'string' ? node.name : labelOf(type)}</span>{' '}
            <code className="text-xs text-muted-foreground">{String(node.id ?? '')}</code>
            {blocksOf(node).map(({ label, steps: inner }, block) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: an outline is read only
              <div key={block} className="mt-1 border-l pl-3">
                <span className="text-muted-foreground">{label}</span>
                <OutlineList steps={inner} />
              </div>
            ))}
          </li>
        );
      })}
    </ol>
  );
}

export function Outline() {
  const { t } = useTranslation();
  const { entity } = useRecordSession();
  const { edit } = useEditing();
  const definition = edit.values.definition as { triggers?: unknown; steps?: unknown } | null;
  const triggers = nodes(definition?.triggers);
  const field = fieldNamed(entity, 'definition');
  return (
    <section aria-label={t('automation.rule')} className="flex flex-col gap-3">
      <p className="rounded-md border bg-surface px-3 py-2">{t('automation.outline.note')}</p>
      {triggers.length > 0 && (
        <div>
          <h2 className="font-semibold">{t('automation.when')}</h2>
          <ul className="list-disc pl-6">
            {triggers.map((trigger, at) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: an outline is read only
              <li key={at}>
                {t(`automation.event.${String(trigger.type)}`, { defaultValue: String(trigger.type) })}{' '}
                <code className="text-xs text-muted-foreground">{String(trigger.entity ?? '')}</code>
              </li>
            ))}
          </ul>
        </div>
      )}
      <div>
        <h2 className="font-semibold">{t('automation.then')}</h2>
        <OutlineList steps={nodes(definition?.steps)} />
      </div>
      {field && <RecordField field={field} writing={false} required={false} above />}
    </section>
  );
}
