/**
 * The documents the interface is drawn from, and the records it shows. They are generic: no entity is
 * known here by name. Their shapes come from the OpenAPI document; what stands here besides is what that
 * document says in words only: which of the wide shapes goes with which type of field.
 */
import type { Answer, Collection, Schema, Shown } from './schema';

export type Theme = 'light' | 'dark' | 'system';

type WireApp = Schema<'AppMeta'>;

export type Me = Shown<
  WireApp['user'],
  'id' | 'full_name' | 'email' | 'username' | 'roles',
  'language' | 'time_zone' | 'department' | 'company' | 'viewed_by'
> & { theme?: Theme | null };

type WireMenu = WireApp['menu'][number];
type WireMenuItem = WireMenu['items'][number];

export type MenuItem = Omit<WireMenuItem, 'entity' | 'collection' | 'page'> &
  ({ entity: string; collection: string; page?: undefined } | { page: string; entity?: undefined });

export type MenuModule = Omit<WireMenu, 'items'> & { items: MenuItem[] };

/** The little of an entity that navigation and search need before its whole metadata is read. */
export type EntitySummary = WireApp['entities'][number];

export type AppMeta = Omit<WireApp, 'user' | 'menu'> & { user: Me; menu: MenuModule[] };

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
  | 'is_empty'
  // Of a change, so in rules only: no list can be filtered by them.
  | 'changed'
  | 'changed_from'
  | 'changed_to';

/** One tree for filters, saved views, permissions and rules. */
export type Condition =
  | { all: Condition[] }
  | { any: Condition[] }
  | { not: Condition }
  | { field: string; op: Operator; value?: unknown };

type WireField = Schema<'FieldMeta'>;

/** A column of a child table has no operators and no order of its own. */
type FieldBase<T extends string> = Pick<WireField, 'name' | 'label'> &
  Partial<Pick<WireField, 'help' | 'required' | 'writable' | 'system' | 'sortable' | 'default'>> & {
    type: T;
    operators?: Operator[];
  };

type Lengths = Pick<WireField, 'pattern'> & { max?: number | null; min?: number | null };

/** Bounds come as numbers or, for decimals, as exact strings. */
type Bounds = Pick<WireField, 'min' | 'max'>;

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
  Partial<Precision> & { op: 'count' | 'sum' | 'min' | 'max' | 'average' | 'latest'; returns?: ScalarType };

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

type WireEntity = Schema<'EntityMeta'>;
type WireState = WireEntity['states'][number];

export type StateCategory = WireState['category'];
export type StateMeta = Omit<WireState, 'color'> & { color?: Color | null };

export type RelatedMeta = WireEntity['related'][number];

export type ModuleView = Omit<Schema<'ViewMeta'>, 'filter'> & { filter: Condition | null };

export type EntityMeta = Omit<WireEntity, 'fields' | 'states' | 'views'> & {
  fields: FieldMeta[];
  states: StateMeta[];
  views: ModuleView[];
};

/** Titles of the records that links point to, by their id. */
export type Labels = Record<string, string>;

/** A record as it is held here: decimals are exact strings (see `decodeRecord`). */
export interface RecordData {
  id: string;
  version: number;
  highlights?: Record<string, string>;
  [field: string]: unknown;
}

type WireRecord = Answer<'get', `${Collection}/{id}`>;

/** One record read by itself also says what may be done with it. */
export interface RecordPage {
  record: RecordData;
  labels: Labels;
  can: Required<NonNullable<WireRecord['can']>>;
}

type WirePage = Answer<'get', Collection>;

export type ListPage = Required<Pick<WirePage, 'next_cursor' | 'total' | 'total_is'>> & {
  items: RecordData[];
  labels: Labels;
};

/** RFC 9457 problem details, with the members our server adds; a proxy writes fewer. */
export type ProblemDocument = Omit<Schema<'Problem'>, 'detail'> & { detail?: string };
export type FieldError = NonNullable<ProblemDocument['errors']>[number];
export type FieldConflict = NonNullable<ProblemDocument['conflicts']>[number];

export type BulkOperation =
  | { op: 'create'; data: Record<string, unknown> }
  | { op: 'update'; id: string; version?: number; data: Record<string, unknown> }
  | { op: 'delete'; id: string }
  | { op: 'restore'; id: string };

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

type WireView = Shown<Schema<'SavedViewItem'>, 'id' | 'version' | 'entity' | 'name' | 'shared', 'created_by'>;

export type SavedView = WireView & { definition: ViewDefinition };

export type SearchHit = Schema<'SearchHits'>['items'][number];

export type Session = Answer<'get', '/auth/sessions'>['items'][number];

export type CommentData = Shown<
  Schema<'CommentItem'>,
  'id' | 'body' | 'internal' | 'created_at',
  'created_by'
>;

export type FileData = Shown<
  Schema<'FileItem'>,
  'id' | 'name' | 'size' | 'media_type' | 'created_at',
  'created_by'
>;

export type HistoryEntry = Schema<'HistoryPage'>['items'][number];

/** What the stream says; the document knows it as text only. */
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
