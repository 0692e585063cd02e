/**
 * One entry for each field type. A type of `FieldMeta` without an entry here does not compile: this is
 * the only place that lists them.
 */
import { lazy } from 'react';
import {
  formatDate,
  formatDateTime,
  formatDecimal,
  formatDuration,
  formatInteger,
  formatMoney,
} from '@/reader/format';
import type { FieldKind, FieldRegistry, FormatContext } from './contract';
import { ChoiceDisplay, ChoicesDisplay, StateDisplay, TagsDisplay } from './display/choices';
import { ComputedDisplay, scalarField } from './display/computed';
import {
  AnyLinkDisplay,
  ChildrenDisplay,
  FileDisplay,
  ImageDisplay,
  LinkDisplay,
  LinksDisplay,
} from './display/links';
import {
  BooleanDisplay,
  DecimalDisplay,
  DurationDisplay,
  GeoDisplay,
  IntegerDisplay,
  MoneyDisplay,
} from './display/numbers';
import { plainMarkdown } from './display/plain-markdown';
import { RichTextDisplay } from './display/rich-text';
import {
  ColorDisplay,
  EmailDisplay,
  JsonDisplay,
  PhoneDisplay,
  SecretDisplay,
  TextDisplay,
  UrlDisplay,
} from './display/text';
import { DateDisplay, DatetimeDisplay } from './display/times';
import { formatField } from './lookup';
import {
  isBlank,
  parseBoolean,
  parseDate,
  parseDecimal,
  parseDuration,
  parseInstant,
  parseInteger,
  parseList,
  parseOption,
  same,
  sameContent,
  sameDecimal,
  sameInstant,
  sameSet,
} from './values';

type Controls = typeof import('./input');

/** Controls are loaded with the first form: a list shows values without them. */
function control<Name extends keyof Controls>(name: Name) {
  return lazy(() => import('./input').then((controls) => ({ default: controls[name] })));
}

const LineInput = control('LineInput');
const SecretInput = control('SecretInput');
const FileInput = control('FileInput');

const text = {
  filter: 'text',
  align: 'start',
  width: 180,
  format: (value: string) => value,
  parse: (typed: string) => typed,
  isEmpty: isBlank,
  equal: same,
} as const;

/** Values that cannot be typed as one line of text. */
const structured = {
  filter: 'none',
  align: 'start',
  isEmpty: isBlank,
  equal: sameContent,
  parse: () => undefined,
} as const;

const titles = (ids: string[], { labels }: FormatContext) => ids.map((id) => labels[id] ?? id).join(', ');

const computed: Omit<FieldKind<'computed' | 'rollup'>, 'Input' | 'filter' | 'align' | 'width'> = {
  Display: ComputedDisplay,
  format: (value, field, context) => formatField(scalarField(field), value, context),
  parse: () => undefined,
  isEmpty: isBlank,
  equal: same,
};

export const registry: FieldRegistry = {
  text: { ...text, Display: TextDisplay, Input: LineInput, width: 220 },
  long_text: { ...text, Display: TextDisplay, Input: control('LongTextInput'), width: 280, wide: true },
  rich_text: {
    ...text,
    Display: RichTextDisplay,
    Input: control('RichTextInput'),
    width: 280,
    wide: true,
    format: (value) => plainMarkdown(value),
  },
  email: { ...text, Display: EmailDisplay, Input: LineInput, width: 240 },
  phone: { ...text, Display: PhoneDisplay, Input: LineInput, width: 140 },
  url: { ...text, Display: UrlDisplay, Input: LineInput },
  color: { ...text, Display: ColorDisplay, Input: control('ColorInput'), width: 110 },
  integer: {
    ...structured,
    Display: IntegerDisplay,
    Input: control('IntegerInput'),
    filter: 'number',
    align: 'end',
    width: 100,
    format: (value, _field, { language }) => formatInteger(value, language),
    parse: parseInteger,
  },
  decimal: {
    ...structured,
    Display: DecimalDisplay,
    Input: control('DecimalInput'),
    filter: 'number',
    align: 'end',
    width: 120,
    format: (value, field, { language }) => formatDecimal(value, language, field.scale),
    parse: parseDecimal,
    equal: sameDecimal,
  },
  money: {
    ...structured,
    Display: MoneyDisplay,
    Input: control('MoneyInput'),
    filter: 'number',
    align: 'end',
    width: 130,
    format: (value, field, { language }) => formatMoney(value.amount, value.currency, language, field.scale),
    parse: (typed, field) => {
      const amount = parseDecimal(typed);
      return amount === undefined ? undefined : { amount, currency: field.currency };
    },
    equal: (a, b) => a?.currency === b?.currency && sameDecimal(a?.amount ?? null, b?.amount ?? null),
  },
  boolean: {
    ...structured,
    Display: BooleanDisplay,
    Input: control('BooleanInput'),
    filter: 'boolean',
    width: 90,
    format: (value, _field, { yes, no }) => (value ? yes : no),
    parse: parseBoolean,
  },
  date: {
    ...structured,
    Display: DateDisplay,
    Input: control('DateInput'),
    filter: 'date',
    width: 120,
    format: (value, _field, { language }) => formatDate(value, language),
    parse: parseDate,
  },
  datetime: {
    ...structured,
    Display: DatetimeDisplay,
    Input: control('DatetimeInput'),
    filter: 'datetime',
    width: 120,
    format: (value, _field, { language, timeZone }) => formatDateTime(value, language, timeZone),
    parse: parseInstant,
    equal: sameInstant,
  },
  duration: {
    ...structured,
    Display: DurationDisplay,
    Input: control('DurationInput'),
    filter: 'duration',
    align: 'end',
    width: 110,
    format: (value, _field, { language }) => formatDuration(value, language),
    parse: parseDuration,
  },
  choice: {
    ...structured,
    Display: ChoiceDisplay,
    Input: control('ChoiceInput'),
    filter: 'options',
    width: 120,
    format: (value, field) => field.options.find((option) => option.value === value)?.label ?? value,
    parse: (typed, field) => parseOption(typed, field.options),
  },
  choices: {
    ...structured,
    Display: ChoicesDisplay,
    Input: control('ChoicesInput'),
    filter: 'options',
    width: 160,
    format: (value, field) =>
      value.map((code) => field.options.find((option) => option.value === code)?.label ?? code).join(', '),
    parse: (typed, field) => {
      const codes = parseList(typed).map((part) => parseOption(part, field.options));
      return codes.every((code) => code !== undefined) ? codes : undefined;
    },
    equal: sameSet,
  },
  tags: {
    ...structured,
    Display: TagsDisplay,
    Input: control('TagsInput'),
    filter: 'tags',
    width: 160,
    format: (value) => value.join(', '),
    parse: parseList,
    equal: sameSet,
  },
  state: {
    ...structured,
    Display: StateDisplay,
    Input: control('StateInput'),
    filter: 'options',
    width: 120,
    format: (value, _field, { states }) => states.find((state) => state.value === value)?.label ?? value,
  },
  link: {
    ...structured,
    Display: LinkDisplay,
    Input: control('LinkInput'),
    filter: 'link',
    width: 160,
    format: (value, _field, { labels }) => labels[value] ?? value,
  },
  links: {
    ...structured,
    Display: LinksDisplay,
    Input: control('LinksInput'),
    filter: 'link',
    width: 180,
    format: (value, _field, context) => titles(value, context),
    equal: sameSet,
  },
  any_link: {
    ...structured,
    Display: AnyLinkDisplay,
    Input: control('AnyLinkInput'),
    width: 160,
    format: (value, _field, { labels }) => labels[value.id] ?? value.id,
  },
  children: {
    ...structured,
    Display: ChildrenDisplay,
    Input: control('ChildrenInput'),
    wide: true,
    width: 100,
    format: (value) => String(value.length),
  },
  file: {
    ...structured,
    Display: FileDisplay,
    Input: FileInput,
    width: 160,
    format: (value, _field, { labels }) => labels[value] ?? value,
  },
  image: {
    ...structured,
    Display: ImageDisplay,
    Input: FileInput,
    width: 80,
    format: (value, _field, { labels }) => labels[value] ?? value,
  },
  geo: {
    ...structured,
    Display: GeoDisplay,
    Input: control('GeoInput'),
    width: 160,
    format: (value) => `${value.lat}, ${value.lon}`,
    parse: (typed) => {
      const [lat, lon, ...rest] = typed.split(/[;,]\s*/).map(Number);
      const valid =
        rest.length === 0 &&
        lat !== undefined &&
        lon !== undefined &&
        Math.abs(lat) <= 90 &&
        Math.abs(lon) <= 180;
      return valid ? { lat, lon } : undefined;
    },
  },
  json: {
    ...structured,
    Display: JsonDisplay,
    Input: control('JsonInput'),
    wide: true,
    width: 200,
    format: (value) => JSON.stringify(value),
  },
  secret: { ...structured, Display: SecretDisplay, Input: SecretInput, width: 90, format: () => '••••' },
  password: { ...structured, Display: SecretDisplay, Input: SecretInput, width: 90, format: () => '••••' },
  computed: { ...computed, Input: null, filter: 'text', align: 'start', width: 140 },
  rollup: { ...computed, Input: null, filter: 'number', align: 'end', width: 100 },
};
