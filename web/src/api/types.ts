/**
 * The documents the interface is drawn from, and the records it shows. They are generic: no entity is
 * known here by name. The shapes are those of docs/reference/interface-metadata.md.
 */

export type Theme = 'light' | 'dark' | 'system';

export interface Me {
  id: string;
  full_name: string;
  email: string;
  username: string;
  language: string | null;
  time_zone: string | null;
  theme: Theme | null;
  roles: string[];
  department?: string | null;
  company?: string | null;
}

export type MenuItem =
  | { entity: string; collection: string; page?: undefined; label: string; icon: string | null }
  | { page: string; entity?: undefined; collection?: undefined; label: string; icon: string | null };

export interface MenuModule {
  module: string;
  label: string;
  icon: string | null;
  items: MenuItem[];
}

/** The little of an entity that navigation and search need before its whole metadata is read. */
export interface EntitySummary {
  name: string;
  collection: string;
  label: string;
  label_plural: string;
  icon: string | null;
  title_field: string | null;
  search: boolean;
  can: { view: boolean; create: boolean };
}

export interface AppMeta {
  name: string;
  version: string;
  mode: 'development' | 'production';
  languages: string[];
  user: Me;
  companies: { id: string; name: string }[];
  menu: MenuModule[];
  entities: EntitySummary[];
  settings: Record<string, unknown>;
}

export type Color = 'gray' | 'blue' | 'cyan' | 'green' | 'amber' | 'orange' | 'red' | 'violet' | 'pink';

export interface ChoiceOption {
  value: string;
  label: string;
  color?: Color | null;
}

export type Operator =
  | 'eq'
  | 'ne'
  | 'gt'
  | 'gte'
  | 'lt'
  | 'lte'
  | 'contains'
  | 'starts_with'
  | 'ends_with'
  | 'in'
  | 'not_in'
  | 'is_empty';

/** One tree for filters, saved views, permissions and rules. */
export type Condition =
  | { all: Condition[] }
  | { any: Condition[] }
  | { not: Condition }
  | { field: string; op: Operator; value?: unknown };

interface FieldBase<T extends string> {
  name: string;
  type: T;
  label: string;
  help?: string | null;
  required?: boolean;
  writable?: boolean;
  system?: boolean;
  sortable?: boolean;
  operators?: Operator[];
  default?: unknown;
}

interface Lengths {
  max?: number | null;
  min?: number | null;
  pattern?: string | null;
}

/** Bounds come as numbers or, for decimals, as exact strings. */
interface Bounds {
  min?: number | string | null;
  max?: number | string | null;
}

interface Precision {
  precision: number;
  scale: number;
}

interface LinkTarget {
  to: string;
  to_collection: string;
  where?: Condition | null;
}

export type TextField = FieldBase<'text'> & Lengths;
export type LongTextField = FieldBase<'long_text'> & Lengths;
export type RichTextField = FieldBase<'rich_text'> & Lengths;
export type EmailField = FieldBase<'email'> & Lengths;
export type PhoneField = FieldBase<'phone'> & Lengths;
export type UrlField = FieldBase<'url'> & Lengths;
export type ColorField = FieldBase<'color'>;
export type IntegerField = FieldBase<'integer'> & Bounds;
export type DecimalField = FieldBase<'decimal'> & Bounds & Precision & { unit?: string | null };
export type MoneyField = FieldBase<'money'> & Bounds & Precision & { currency: string };
export type BooleanField = FieldBase<'boolean'>;
export type DateField = FieldBase<'date'>;
export type DatetimeField = FieldBase<'datetime'>;
export type DurationField = FieldBase<'duration'> & Bounds;
export type ChoiceField = FieldBase<'choice'> & { options: ChoiceOption[] };
export type ChoicesField = FieldBase<'choices'> & { options: ChoiceOption[] };
export type TagsField = FieldBase<'tags'> & { max?: number | null };
export type StateField = FieldBase<'state'> & { initial?: string | null };
export type LinkField = FieldBase<'link'> & LinkTarget;
export type LinksField = FieldBase<'links'> & LinkTarget;
export type AnyLinkField = FieldBase<'any_link'> & { to: string[] | '*' };
export type ChildrenField = FieldBase<'children'> & { of: string; via: string; fields: FieldMeta[] };
export type FileField = FieldBase<'file'> & { max_size?: number | null };
export type ImageField = FieldBase<'image'> & { max_size?: number | null };
export type GeoField = FieldBase<'geo'>;
export type JsonField = FieldBase<'json'>;
export type SecretField = FieldBase<'secret'>;
export type PasswordField = FieldBase<'password'>;
export type ScalarType =
  | 'text'
  | 'long_text'
  | 'integer'
  | 'decimal'
  | 'boolean'
  | 'date'
  | 'datetime'
  | 'duration'
  | 'choice';
export type ComputedField = FieldBase<'computed'> &
  Partial<Precision> & { returns: ScalarType; unit?: string | null };
export type RollupField = FieldBase<'rollup'> &
  Partial<Precision> & { op: 'count' | 'sum' | 'min' | 'max'; returns?: ScalarType };

export type FieldMeta =
  | TextField
  | LongTextField
  | RichTextField
  | EmailField
  | PhoneField
  | UrlField
  | ColorField
  | IntegerField
  | DecimalField
  | MoneyField
  | BooleanField
  | DateField
  | DatetimeField
  | DurationField
  | ChoiceField
  | ChoicesField
  | TagsField
  | StateField
  | LinkField
  | LinksField
  | AnyLinkField
  | ChildrenField
  | FileField
  | ImageField
  | GeoField
  | JsonField
  | SecretField
  | PasswordField
  | ComputedField
  | RollupField;

export type FieldType = FieldMeta['type'];
export type FieldOf<T extends FieldType> = Extract<FieldMeta, { type: T }>;

export type StateCategory = 'open' | 'active' | 'waiting' | 'done' | 'closed';

export interface StateMeta {
  value: string;
  label: string;
  category: StateCategory;
  color?: Color | null;
  to: { state: string; label: string; requires: string[] }[];
}

export interface RelatedMeta {
  name: string;
  label: string;
  entity: string;
  collection: string;
  via: string;
  many_to_many: boolean;
}

export interface ModuleView {
  name: string;
  label: string;
  columns: string[];
  sort: string[];
  filter: Condition | null;
}

export interface EntityMeta {
  name: string;
  collection: string;
  module: string;
  kind: 'record' | 'log';
  icon: string | null;
  label: string;
  label_plural: string;
  title_field: string | null;
  number: boolean;
  state_field: string | null;
  comments: boolean;
  internal_comments: boolean;
  files: boolean;
  search: boolean;
  can: {
    view: boolean;
    create: boolean;
    edit: boolean;
    delete: boolean;
    manage: boolean;
    export: boolean;
  };
  fields: FieldMeta[];
  states: StateMeta[];
  related: RelatedMeta[];
  list: { columns: string[]; sort: string[] };
  form: { sections: { name: string; label: string; fields: string[] }[]; quick: string[] };
  views: ModuleView[];
}

/** Titles of the records that links point to, by their id. */
export type Labels = Record<string, string>;

/** A record as it is held here: decimals are exact strings (see `decodeRecord`). */
export interface RecordData {
  id: string;
  version: number;
  highlights?: Record<string, string>;
  [field: string]: unknown;
}

/** One record read by itself also says what may be done with it. */
export interface RecordPage {
  record: RecordData;
  labels: Labels;
  can: { edit: boolean; delete: boolean };
}

export interface ListPage {
  items: RecordData[];
  labels: Labels;
  next_cursor: string | null;
  total: number | null;
  total_is: 'exact' | 'at_least';
}

export interface FieldError {
  field: string;
  code: string;
  message: string;
}

export interface FieldConflict {
  field: string;
  base: unknown;
  yours: unknown;
  theirs: unknown;
}

/** RFC 9457 problem details, with the members our server adds. */
export interface ProblemDocument {
  type: string;
  title: string;
  status: number;
  detail?: string;
  instance?: string;
  request_id?: string;
  errors?: FieldError[];
  conflicts?: FieldConflict[];
  confirm_token?: string;
  allowed?: string[];
}

export type BulkOperation =
  | { op: 'create'; data: Record<string, unknown> }
  | { op: 'update'; id: string; version?: number; data: Record<string, unknown> }
  | { op: 'delete'; id: string };

export type BulkResult =
  | { status: number; record: RecordData; problem?: undefined }
  | { status: number; problem: ProblemDocument; record?: undefined }
  | { status: number; record?: undefined; problem?: undefined };

export interface ViewDefinition {
  columns?: string[];
  widths?: Record<string, number>;
  sort?: string[];
  filter?: Condition | null;
  group?: string | null;
}

export interface SavedView {
  id: string;
  version: number;
  entity: string;
  name: string;
  shared: boolean;
  kind: 'grid';
  definition: ViewDefinition;
  created_by: string | null;
}

export interface SearchHit {
  entity: string;
  collection: string;
  id: string;
  number?: string | null;
  title: string;
  highlight?: string | null;
  /** What kind of record it is, in the reader's language. */
  label?: string;
}

export interface Session {
  id: string;
  current: boolean;
  user_agent: string | null;
  address: string | null;
  created_at: string;
  last_seen_at: string | null;
}

export interface CommentData {
  id: string;
  body: string;
  internal: boolean;
  created_at: string;
  created_by: string | null;
}

export interface FileData {
  id: string;
  name: string;
  size: number;
  media_type: string;
  created_at: string;
  created_by: string | null;
}

export interface HistoryEntry {
  id: string;
  at: string;
  actor: { id: string; name: string } | null;
  action: string;
  source: string;
  changes: { field: string; before: unknown; after: unknown }[];
  result: string;
  reason: string | null;
}

export type ChangeEvent =
  | {
      entity: string;
      id: string;
      version: number;
      op: 'created' | 'updated' | 'deleted' | 'restored';
      by: string | null;
      fields?: string[];
      gone?: undefined;
    }
  | { entity: string; id: string; gone: true };
