/**
 * What a field type must bring to be drawn: the registry beside this file holds one `FieldKind` for each
 * type and does not compile when one is missing. Grid, filter, form and record page know types only
 * through this contract.
 */
import type { ReactNode } from 'react';
import type { FieldOf, FieldType, Labels, ScalarType, StateMeta } from '@/api/types';

export interface Money {
  amount: string;
  currency: string;
}

export interface GeoPoint {
  lat: number;
  lon: number;
}

export interface AnyLink {
  entity: string;
  id: string;
}

export type ChildRow = Record<string, unknown> & { id?: string };

/** How the value of each type is held. Decimals are strings of exact digits. */
export interface FieldValues {
  text: string;
  long_text: string;
  rich_text: string;
  email: string;
  phone: string;
  url: string;
  color: string;
  integer: number;
  decimal: string;
  money: Money;
  boolean: boolean;
  date: string;
  datetime: string;
  duration: number;
  choice: string;
  choices: string[];
  tags: string[];
  state: string;
  link: string;
  links: string[];
  any_link: AnyLink;
  children: ChildRow[];
  file: string;
  image: string;
  geo: GeoPoint;
  json: unknown;
  secret: string;
  password: string;
  computed: FieldValues[ScalarType];
  rollup: FieldValues[ScalarType];
}

export type ValueOf<T extends FieldType> = FieldValues[T];

/**
 * What surrounds a value besides its field: the titles of linked records, and the entity's states. An input
 * gets only the states that may be chosen.
 */
export interface FieldSurroundings {
  labels: Labels;
  states: StateMeta[];
}

/** `line`: one line of a grid, cut where it is too long. `block`: the record page, shown whole. */
export type DisplayVariant = 'line' | 'block';

interface DisplayOf<F, V> extends FieldSurroundings {
  field: F;
  /** Never null: an empty value is drawn by the caller. */
  value: V;
  variant: DisplayVariant;
}

export type DisplayProps<T extends FieldType> = DisplayOf<FieldOf<T>, ValueOf<T>>;

interface InputOf<F, V> extends FieldSurroundings {
  field: F;
  value: V | null;
  onChange: (value: V | null) => void;
  /** Of the element that takes the focus, so that a label can name it. */
  id: string;
  onBlur?: () => void;
  disabled?: boolean;
  invalid?: boolean;
  /** Ids of help and error texts, for `aria-describedby`. */
  describedBy?: string;
  autoFocus?: boolean;
  /**
   * Says in words why what is typed is no value of this type, and null once it is one again. Until then
   * `onChange` is not called, so whoever sends the form must ask for it to be put right first.
   */
  onProblem?: (text: string | null) => void;
  /** Errors inside a value of several parts, by their path in it: `0.quantity`. */
  errors?: Record<string, string>;
}

export type InputProps<T extends FieldType> = InputOf<FieldOf<T>, ValueOf<T>>;

/** What `format` needs to write a value as plain text in the reader's language. */
export interface FormatContext extends FieldSurroundings {
  language: string;
  timeZone: string;
  yes: string;
  no: string;
}

/**
 * How a value of this type is entered in a filter. The filter builder has one editor for each kind.
 * `none`: the type is filtered by "is empty" only.
 */
export type FilterEditor =
  | 'text'
  | 'number'
  | 'date'
  | 'datetime'
  | 'duration'
  | 'boolean'
  | 'options'
  | 'tags'
  | 'link'
  | 'none';

/** A component. Spelled as a plain function, so that one component may serve several types. */
export type Draw<P> = (props: P) => ReactNode;

export interface FieldKind<T extends FieldType> {
  Display: Draw<DisplayProps<T>>;
  /** Null for types that no person writes in a form (computed, roll-up). */
  Input: Draw<InputProps<T>> | null;
  filter: FilterEditor;
  /** Numbers stand at the end of their column, so that digits align. */
  align: 'start' | 'end';
  /** Width of a new column, in pixels. */
  width: number;
  /** Takes the whole width of a form: long texts, tables. */
  wide?: boolean;
  /** The value as plain text: for copying, for names in bulk results, for history. */
  format: (value: ValueOf<T>, field: FieldOf<T>, context: FormatContext) => string;
  /** Text that was typed or pasted, as a value; `undefined` when it says nothing of this type. */
  parse: (text: string, field: FieldOf<T>) => ValueOf<T> | undefined;
  isEmpty: (value: unknown) => boolean;
  /** Whether an edit changed anything. */
  equal: (a: ValueOf<T> | null, b: ValueOf<T> | null) => boolean;
}

export type FieldRegistry = { [T in FieldType]: FieldKind<T> };
