/** What must hold, as sentences joined by "and" or "or", groups within groups. */
import { Plus, X } from 'lucide-react';
import { useId } from 'react';
import { useTranslation } from 'react-i18next';
import type { Condition } from '@/api/types';
import { FieldInput } from '@/records/fields/FieldInput';
import { isVariable } from '@/records/filter/model';
import { KNOWN_VARIABLES, variableTextKey } from '@/records/filter/variables';
import { Badge } from '@/ui/badge';
import { Button } from '@/ui/button';
import { Input, Select } from '@/ui/input';
import { asText } from './inputs';
import { partsOf, withParts } from './model';
import {
  comparisonOf,
  comparisonsFor,
  comparisonTextKey,
  conditionOf,
  firstTest,
  hasValue,
  type Test,
  testOf,
  valueField,
  withComparison,
} from './operators';
import { PathSelect } from './pickers';
import { findPath, type Path, useSubject } from './subject';

interface ConditionProps {
  condition: Condition;
  onChange: (condition: Condition) => void;
  onRemove: () => void;
  disabled?: boolean;
}

interface ValueProps {
  id: string;
  test: Test;
  path: Path | undefined;
  onChange: (value: unknown) => void;
  disabled?: boolean;
}

function Value({ id, test, path, onChange, disabled }: ValueProps) {
  const { t } = useTranslation();
  if (isVariable(test.value) && KNOWN_VARIABLES.includes(test.value)) {
    return (
      <span className="inline-flex items-center">
        <Badge className="h-6">{t(variableTextKey(test.value))}</Badge>
        <Button
          variant="ghost"
          size="icon"
          className="h-6 w-6"
          disabled={disabled}
          aria-label={t('field.remove', { name: t(variableTextKey(test.value)) })}
          onClick={() => onChange(undefined)}
        >
          <X aria-hidden />
        </Button>
      </span>
    );
  }
  const field = path && valueField(path.field, test.op, path.owner);
  return field ? (
    <FieldInput
      id={id}
      field={field}
      value={test.value ?? null}
      onChange={(value) => onChange(value === null ? undefined : value)}
      disabled={disabled}
      labels={{}}
      states={path.owner.states}
    />
  ) : (
    <Input
      id={id}
      disabled={disabled}
      value={asText(test.value)}
      onChange={({ target }) => onChange(target.value)}
    />
  );
}

function Sentence({ condition, onChange, onRemove, disabled }: ConditionProps) {
  const { t } = useTranslation();
  const id = useId();
  const subject = useSubject();
  const read = testOf(condition);
  if (!read) {
    return null;
  }
  const { test, not } = read;
  const path = findPath(subject, test.field);
  const current = comparisonOf(test, not);
  const offered = path ? comparisonsFor(path.field, !test.field.includes('.')) : [];
  const choices = offered.some(({ key }) => key === current.key) ? offered : [current, ...offered];
  const label = path?.label ?? test.field;
  const setValue = (value: unknown) => {
    const { value: _old, ...rest } = test;
    onChange(conditionOf(value === undefined ? rest : { ...rest, value }, not));
  };
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset would draw its own frame and legend
    <div
      role="group"
      aria-label={label}
      className="grid grid-cols-[minmax(0,1fr)_auto] items-start gap-1 @2xl:grid-cols-[minmax(0,13rem)_minmax(0,11rem)_minmax(0,1fr)_auto]"
    >
      <PathSelect
        aria-label={t('automation.field')}
        disabled={disabled}
        value={test.field}
        onChange={(next) => {
          const found = findPath(subject, next);
          if (found) {
            onChange(firstTest(next, found.field));
          }
        }}
      />
      <Select
        aria-label={t('automation.comparison')}
        className="@max-2xl:order-3 @max-2xl:col-span-2"
        disabled={disabled}
        value={current.key}
        onChange={({ target }) => {
          const choice = choices.find(({ key }) => key === target.value);
          if (choice) {
            onChange(withComparison(test, choice));
          }
        }}
      >
        {choices.map(({ key }) => (
          <option key={key} value={key}>
            {t(comparisonTextKey(path?.field, key))}
          </option>
        ))}
      </Select>
      <div className="min-w-0 @max-2xl:order-4 @max-2xl:col-span-2">
        {hasValue(test.op) && (
          <>
            <label htmlFor={id} className="sr-only">
              {t('automation.value_of', { label })}
            </label>
            <Value key={`${test.field} ${test.op}`} {...{ id, test, path, disabled }} onChange={setValue} />
          </>
        )}
      </div>
      <Button
        variant="ghost"
        size="icon"
        disabled={disabled}
        className="@max-2xl:order-2"
        aria-label={t('automation.remove_condition', { label })}
        onClick={onRemove}
      >
        <X aria-hidden />
      </Button>
    </div>
  );
}

interface GroupProps extends Omit<ConditionProps, 'onRemove'> {
  /** How deep it stands; the outermost is the rule's own. */
  depth: number;
  onRemove?: () => void;
}

/** "And" and "or" between the parts are one choice for the whole group. */
function Joiner({ condition, onChange, disabled }: Pick<GroupProps, 'condition' | 'onChange' | 'disabled'>) {
  const { t } = useTranslation();
  const parts = partsOf(condition) ?? [];
  return (
    <Select
      aria-label={t('automation.joined_by')}
      className="w-auto self-start"
      disabled={disabled}
      value={'any' in condition ? 'any' : 'all'}
      onChange={({ target }) => onChange(target.value === 'any' ? { any: parts } : { all: parts })}
    >
      <option value="all">{t('automation.and')}</option>
      <option value="any">{t('automation.or')}</option>
    </Select>
  );
}

export function ConditionGroup({ condition, onChange, onRemove, depth, disabled }: GroupProps) {
  const { t } = useTranslation();
  const { entity, groups } = useSubject();
  const parts = partsOf(condition) ?? [];
  const put = (next: Condition[]) => onChange(withParts(condition, next));
  const first = groups[0]?.paths.find(({ path }) => path === entity?.title_field) ?? groups[0]?.paths[0];
  const fresh = (): Condition[] => (first ? [firstTest(first.path, first.field)] : []);
  const joined = t('any' in condition ? 'automation.or' : 'automation.and');
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset would draw its own frame and legend
    <div
      role="group"
      aria-label={t('automation.condition_group')}
      className={depth > 0 ? 'flex flex-col gap-1.5 rounded-md border p-2' : 'flex flex-col gap-1.5'}
    >
      {parts.map((part, at) => {
        const change = (next: Condition) => put(parts.with(at, next));
        const remove = () => put(parts.toSpliced(at, 1));
        return (
          // biome-ignore lint/suspicious/noArrayIndexKey: conditions have no identity but their place
          <div key={at} className="flex flex-col gap-1.5">
            {at === 1 && <Joiner {...{ condition, onChange, disabled }} />}
            {at > 1 && <span className="px-2 text-muted-foreground">{joined}</span>}
            {testOf(part) ? (
              <Sentence condition={part} onChange={change} onRemove={remove} disabled={disabled} />
            ) : 'not' in part ? (
              <div className="flex flex-col gap-1">
                <span className="text-muted-foreground">{t('automation.none_of')}</span>
                <ConditionGroup
                  condition={part.not}
                  onChange={(next) => change({ not: next })}
                  onRemove={remove}
                  depth={depth + 1}
                  disabled={disabled}
                />
              </div>
            ) : (
              <ConditionGroup
                condition={part}
                onChange={change}
                onRemove={remove}
                depth={depth + 1}
                disabled={disabled}
              />
            )}
          </div>
        );
      })}
      {!disabled && (
        <div className="flex flex-wrap gap-1">
          <Button disabled={!first} onClick={() => put([...parts, ...fresh()])}>
            <Plus aria-hidden /> {t('automation.add_condition')}
          </Button>
          {depth < 3 && (
            <Button
              variant="ghost"
              disabled={!first}
              onClick={() => put([...parts, 'any' in condition ? { all: fresh() } : { any: fresh() }])}
            >
              {t('filter.add_group')}
            </Button>
          )}
          {onRemove && (
            <Button variant="ghost" onClick={onRemove}>
              {t('automation.remove_group')}
            </Button>
          )}
        </div>
      )}
    </div>
  );
}
