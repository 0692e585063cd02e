/** A text in which the words of the record can stand: typed, or put in from a list. */
import { Command } from 'cmdk';
import { Braces } from 'lucide-react';
import { useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { folded } from '@/reader/fold';
import { Button } from '@/ui/button';
import { Input, Textarea } from '@/ui/input';
import { Popover, PopoverContent, PopoverTrigger } from '@/ui/popover';
import type { Control } from './Labelled';
import { withVariable } from './model';
import { useStepsBefore } from './steps-before';
import { useSubject } from './subject';

interface Variable {
  name: string;
  label: string;
}

function useVariables(): Variable[] {
  const { t } = useTranslation();
  const { groups } = useSubject();
  const before = useStepsBefore();
  const fields = groups.flatMap(({ paths }) => paths.map(({ path, label }) => ({ name: path, label })));
  const general = ['now', 'today', 'workflow.name', 'trigger.by'].map((name) => ({
    name,
    label: t(`automation.variable.${name.replace('.', '_')}`),
  }));
  return [...fields, ...before, ...general];
}

function VariablePicker({ onPick, disabled }: { onPick: (name: string) => void; disabled?: boolean }) {
  const { t } = useTranslation();
  const [open, setOpen] = useState(false);
  const [typed, setTyped] = useState('');
  const wanted = folded(typed.trim());
  const variables = useVariables().filter(
    ({ name, label }) => folded(label).includes(wanted) || name.includes(wanted),
  );
  return (
    <Popover open={open} onOpenChange={setOpen}>
      <PopoverTrigger asChild>
        <Button
          size="icon"
          disabled={disabled}
          aria-label={t('automation.insert_variable')}
          title={t('automation.insert_variable')}
        >
          <Braces aria-hidden />
        </Button>
      </PopoverTrigger>
      <PopoverContent
        align="end"
        aria-label={t('automation.insert_variable')}
        className="w-80 p-2"
        // The text takes the focus back, behind what was put in.
        onCloseAutoFocus={(event) => event.preventDefault()}
      >
        <Command label={t('automation.insert_variable')} shouldFilter={false} loop>
          <Command.Input
            autoFocus
            value={typed}
            onValueChange={setTyped}
            placeholder={t('field.find')}
            className="control field mb-1"
          />
          <Command.List label={t('automation.insert_variable')} className="max-h-72 overflow-y-auto">
            {variables.map(({ name, label }) => (
              <Command.Item
                key={name}
                value={name}
                className="flex min-h-7 cursor-default items-center gap-2 rounded-md px-2 data-[selected=true]:bg-hover pointer-coarse:min-h-11"
                onSelect={() => {
                  setOpen(false);
                  setTyped('');
                  onPick(name);
                }}
              >
                <span className="min-w-0 flex-1 truncate">{label}</span>
                <code className="max-w-[50%] shrink-0 truncate text-xs text-muted-foreground">{name}</code>
              </Command.Item>
            ))}
          </Command.List>
          <Command.Empty className="px-2 py-3 text-muted-foreground">{t('palette.nothing')}</Command.Empty>
        </Command>
      </PopoverContent>
    </Popover>
  );
}

interface TemplateInputProps extends Control {
  value: string;
  onChange: (value: string) => void;
  long?: boolean;
  disabled?: boolean;
  placeholder?: string;
}

export function TemplateInput({ value, onChange, long = false, disabled, ...control }: TemplateInputProps) {
  const box = useRef<HTMLInputElement & HTMLTextAreaElement>(null);
  const insert = (name: string) => {
    const next = withVariable(value, box.current?.selectionStart ?? value.length, name);
    onChange(next.text);
    requestAnimationFrame(() => {
      box.current?.focus();
      box.current?.setSelectionRange(next.cursor, next.cursor);
    });
  };
  const props = {
    ...control,
    ref: box,
    value,
    disabled,
    onChange: ({ target }: { target: { value: string } }) => onChange(target.value),
  };
  return (
    <span className="flex min-w-0 items-start gap-1">
      {long ? <Textarea {...props} rows={3} /> : <Input {...props} autoComplete="off" />}
      <VariablePicker onPick={insert} disabled={disabled} />
    </span>
  );
}
