/** A value for a field: as the field's own form asks for it, or a text that leads to one. */
import { Braces, SquarePen } from 'lucide-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { EntityMeta, FieldMeta } from '@/api/types';
import { FieldInput } from '@/records/fields/FieldInput';
import { Button } from '@/ui/button';
import type { Control } from './Labelled';
import { isTemplate } from './model';
import { TemplateInput } from './TemplateInput';

interface ValueInputProps extends Control {
  field: FieldMeta;
  owner: EntityMeta;
  value: unknown;
  onChange: (value: unknown) => void;
  disabled?: boolean;
}

const WORDS = ['text', 'long_text', 'rich_text', 'email', 'phone', 'url'];

export function ValueInput({ field, owner, value, onChange, disabled, ...control }: ValueInputProps) {
  const { t } = useTranslation();
  const [asText, setAsText] = useState(isTemplate(value));
  const text = typeof value === 'string' ? value : value === null || value === undefined ? '' : String(value);
  if (WORDS.includes(field.type)) {
    const long = field.type === 'long_text' || field.type === 'rich_text';
    return <TemplateInput {...control} long={long} value={text} onChange={onChange} disabled={disabled} />;
  }
  const free = { ...field, required: false } as FieldMeta;
  return (
    <span className="flex min-w-0 items-start gap-1">
      <span className="min-w-0 flex-1">
        {asText || isTemplate(value) ? (
          <TemplateInput {...control} value={text} onChange={onChange} disabled={disabled} />
        ) : (
          <FieldInput
            id={control.id}
            field={free}
            value={value ?? null}
            onChange={onChange}
            invalid={control['aria-invalid']}
            describedBy={control['aria-describedby']}
            disabled={disabled}
            labels={{}}
            states={owner.states}
          />
        )}
      </span>
      <Button
        variant="ghost"
        size="icon"
        disabled={disabled}
        aria-label={t(asText ? 'automation.as_value' : 'automation.as_text')}
        title={t(asText ? 'automation.as_value' : 'automation.as_text')}
        onClick={() => {
          setAsText(!asText);
          onChange(null);
        }}
      >
        {asText ? <SquarePen aria-hidden /> : <Braces aria-hidden />}
      </Button>
    </span>
  );
}
