/** Choosing what a rule is about, and which of its fields. */
import { useQuery } from '@tanstack/react-query';
import type { ComponentProps } from 'react';
import { useTranslation } from 'react-i18next';
import { appMetaQuery } from '@/api/meta';
import type { AppMeta, FieldMeta } from '@/api/types';
import { Select } from '@/ui/input';
import { type Path, useSubject } from './subject';

interface PickerProps extends Omit<ComponentProps<'select'>, 'value' | 'onChange'> {
  value: string | undefined;
  onChange: (value: string) => void;
}

/** Entities as the menu groups them, then those that stand in no menu. */
function groupsOf(app: AppMeta | undefined, rest: string) {
  const seen = app?.entities.filter(({ can }) => can.view) ?? [];
  const listed = (app?.menu ?? []).map(({ module, label, items }) => ({
    key: module,
    label,
    entities: items.flatMap((item) => seen.find(({ name }) => name === item.entity) ?? []),
  }));
  const placed = new Set(listed.flatMap(({ entities }) => entities));
  const others = seen.filter((entity) => !placed.has(entity));
  return [...listed, { key: '', label: rest, entities: others }].filter(
    ({ entities }) => entities.length > 0,
  );
}

export function EntitySelect({ value, onChange, ...props }: PickerProps) {
  const { t } = useTranslation();
  const { data: app } = useQuery(appMetaQuery);
  const groups = groupsOf(app, t('automation.other_entities'));
  const known = groups.some(({ entities }) => entities.some(({ name }) => name === value));
  return (
    <Select {...props} value={value ?? ''} onChange={({ target }) => onChange(target.value)}>
      <option value="">{t('field.choose')}</option>
      {value && !known && <option value={value}>{value}</option>}
      {groups.map(({ key, label, entities }) => (
        <optgroup key={key} label={label}>
          {entities.map((entity) => (
            <option key={entity.name} value={entity.name}>
              {entity.label}
            </option>
          ))}
        </optgroup>
      ))}
    </Select>
  );
}

interface PathSelectProps extends PickerProps {
  /** The record's own fields only: what an action can set. */
  own?: boolean;
}

/** The fields of the record, and those one link further. */
export function PathSelect({ value, onChange, own = false, ...props }: PathSelectProps) {
  const { t } = useTranslation();
  const { groups } = useSubject();
  const offered = own ? groups.slice(0, 1) : groups;
  const known = offered.some(({ paths }) => paths.some(({ path }) => path === value));
  const option = ({ path, label }: Path) => (
    <option key={path} value={path}>
      {label}
    </option>
  );
  return (
    <Select {...props} value={value ?? ''} onChange={({ target }) => onChange(target.value)}>
      <option value="">{t('field.choose')}</option>
      {value && !known && <option value={value}>{value}</option>}
      {offered.map(({ via, paths }) =>
        via === null ? (
          paths.map(option)
        ) : (
          <optgroup key={via.name} label={via.label}>
            {paths.map(option)}
          </optgroup>
        ),
      )}
    </Select>
  );
}

interface FieldSelectProps extends PickerProps {
  fields: FieldMeta[];
}

export function FieldSelect({ fields, value, onChange, ...props }: FieldSelectProps) {
  const { t } = useTranslation();
  const known = fields.some(({ name }) => name === value);
  return (
    <Select {...props} value={value ?? ''} onChange={({ target }) => onChange(target.value)}>
      <option value="">{t('field.choose')}</option>
      {value && !known && <option value={value}>{value}</option>}
      {fields.map(({ name, label }) => (
        <option key={name} value={name}>
          {label}
        </option>
      ))}
    </Select>
  );
}
