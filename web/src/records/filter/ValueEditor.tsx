/** How the value of a clause is entered, by the kind of editor its field's type asks for. */
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { EntityMeta, FieldMeta } from '@/api/types';
import { useReader } from '@/reader/context';
import { dayOf, endOfDay, startOfDay } from '@/reader/zone';
import { kindOf } from '@/records/fields/lookup';
import { parseDecimal, parseDuration, parseList } from '@/records/fields/values';
import { Input, Select } from '@/ui/input';
import { LinkChecklist } from './LinkChecklist';
import { type Clause, isVariable, takesMany } from './model';
import { OptionChecklist } from './OptionChecklist';

export interface ValueEditorProps {
  entity: EntityMeta;
  field: FieldMeta;
  clause: Clause;
  onChange: (value: unknown) => void;
  /** The value is entered: the editor may close. */
  onDone: () => void;
}

interface TypedProps {
  text: string;
  inputMode?: 'decimal' | 'numeric';
  placeholder?: string;
  read: (text: string) => unknown;
  onChange: (value: unknown) => void;
  onDone: () => void;
}

function Typed({ text, read, onChange, onDone, ...props }: TypedProps) {
  const { t } = useTranslation();
  const [typed, setTyped] = useState(text);
  const understood = (words: string) => (words.trim() === '' ? undefined : read(words));
  const unreadable = typed.trim() !== '' && understood(typed) === undefined;
  return (
    <>
      <Input
        {...props}
        autoFocus
        aria-label={t('filter.value')}
        aria-invalid={unreadable}
        value={typed}
        onChange={({ target }) => {
          setTyped(target.value);
          onChange(understood(target.value));
        }}
        onKeyDown={(event) => {
          if (event.key === 'Enter' && !unreadable) {
            onDone();
          }
        }}
      />
      {unreadable && <p className="mt-1 text-danger">{t('filter.unreadable')}</p>}
    </>
  );
}

/** "On or before 3 May" ends with that day, "before 3 May" where it begins. */
function momentOf(day: string, op: Clause['op'], timeZone: string): string {
  return op === 'gt' || op === 'lte' ? endOfDay(day, timeZone) : startOfDay(day, timeZone);
}

function DayEditor({ field, clause, onChange }: ValueEditorProps) {
  const { t } = useTranslation();
  const { timeZone } = useReader();
  const isMoment = kindOf(field).filter === 'datetime';
  const { value } = clause;
  const preset = isVariable(value) ? value : value === undefined ? '' : 'day';
  const [mode, setMode] = useState(preset === '' ? 'day' : preset);
  const day =
    typeof value === 'string' && !isVariable(value) ? (isMoment ? dayOf(value, timeZone) : value) : '';
  return (
    <div className="flex flex-col gap-2">
      <Select
        aria-label={t('filter.moment')}
        value={mode}
        onChange={({ target }) => {
          setMode(target.value);
          onChange(target.value === 'day' ? undefined : target.value);
        }}
      >
        <option value="day">{t('filter.a_day')}</option>
        <option value="@today">{t('filter.variable.today')}</option>
        {isMoment && <option value="@now">{t('filter.variable.now')}</option>}
      </Select>
      {mode === 'day' && (
        <Input
          type="date"
          autoFocus
          aria-label={t('filter.a_day')}
          value={day}
          onChange={({ target }) =>
            onChange(
              target.value === ''
                ? undefined
                : isMoment
                  ? momentOf(target.value, clause.op, timeZone)
                  : target.value,
            )
          }
        />
      )}
    </div>
  );
}

function BooleanEditor({ clause, onChange }: ValueEditorProps) {
  const { t } = useTranslation();
  return (
    <Select
      aria-label={t('filter.value')}
      value={clause.value === undefined ? '' : String(clause.value)}
      onChange={({ target }) => onChange(target.value === '' ? undefined : target.value === 'true')}
    >
      <option value="">{t('field.choose')}</option>
      <option value="true">{t('field.yes')}</option>
      <option value="false">{t('field.no')}</option>
    </Select>
  );
}

export function ValueEditor(props: ValueEditorProps) {
  const { t } = useTranslation();
  const { field, clause, onChange, onDone } = props;
  const text = Array.isArray(clause.value) ? clause.value.join(', ') : String(clause.value ?? '');
  switch (kindOf(field).filter) {
    case 'options':
      return <OptionChecklist {...props} />;
    case 'link':
      return <LinkChecklist {...props} />;
    case 'boolean':
      return <BooleanEditor {...props} />;
    case 'date':
    case 'datetime':
      return <DayEditor {...props} />;
    case 'number':
      return (
        <Typed text={text} inputMode="decimal" read={parseDecimal} onChange={onChange} onDone={onDone} />
      );
    case 'duration':
      return (
        <Typed text={text} placeholder="1h 30min" read={parseDuration} onChange={onChange} onDone={onDone} />
      );
    case 'tags':
      return (
        <Typed
          text={text}
          placeholder={t('filter.by_commas')}
          read={parseList}
          onChange={onChange}
          onDone={onDone}
        />
      );
    case 'text':
      return (
        <Typed
          text={text}
          read={takesMany(clause.op) ? parseList : (typed) => typed.trim()}
          onChange={onChange}
          onDone={onDone}
        />
      );
    case 'none':
      return null;
  }
}
