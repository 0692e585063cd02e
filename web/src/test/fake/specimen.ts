/** What the fake desk has besides its tickets, and one entity with a field of every type. */
import type { ChoiceOption, EntityMeta, FieldMeta, Operator, RecordData } from '@/api/types';

const sets: Operator[] = ['eq', 'ne', 'in', 'not_in', 'is_empty'];
const base = { writable: true, sortable: true, required: false, system: false, help: null, operators: sets };

const colors: ChoiceOption[] = [
  { value: 'red', label: 'Rouge', color: 'red' },
  { value: 'green', label: 'Vert', color: 'green' },
  { value: 'blue', label: 'Bleu', color: 'blue' },
];

export type Say = (fr: string, en: string) => string;

/** Fields of a ticket that its record page is about. */
export function deskFields(w: Say): FieldMeta[] {
  return [
    {
      ...base,
      name: 'resolution',
      type: 'long_text',
      label: w('Solution', 'Resolution'),
      help: w(
        'Ce qui a réglé la demande ; le demandeur peut le lire.',
        'What settled it; the requester may read it.',
      ),
    },
    {
      ...base,
      name: 'category',
      type: 'link',
      label: w('Catégorie', 'Category'),
      to: 'category',
      to_collection: 'categories',
    },
    {
      ...base,
      name: 'impacted_assets',
      type: 'links',
      label: w('Équipements impactés', 'Impacted assets'),
      to: 'asset',
      to_collection: 'assets',
    },
    {
      ...base,
      name: 'parent',
      type: 'link',
      label: w('Ticket parent', 'Parent ticket'),
      to: 'ticket',
      to_collection: 'tickets',
    },
    { ...base, name: 'resolved_at', type: 'datetime', label: w('Résolu le', 'Resolved'), writable: false },
  ];
}

const rights = { view: true, create: true, edit: true, delete: true, manage: false, export: true };

const plain = {
  kind: 'record' as const,
  number: false,
  state_field: null,
  comments: false,
  internal_comments: false,
  files: false,
  sharing: false,
  search: true,
  can: rights,
  states: [],
  related: [],
  views: [],
};

export function category(w: Say): EntityMeta {
  return {
    ...plain,
    name: 'category',
    collection: 'categories',
    module: 'desk',
    icon: 'folder',
    label: w('Catégorie', 'Category'),
    label_plural: w('Catégories', 'Categories'),
    title_field: 'name',
    fields: [
      { ...base, name: 'name', type: 'text', label: w('Nom', 'Name'), required: true },
      { ...base, name: 'code', type: 'text', label: 'Code' },
    ],
    related: [
      {
        name: 'tickets',
        label: 'Tickets',
        entity: 'ticket',
        collection: 'tickets',
        via: 'category',
        many_to_many: false,
      },
    ],
    list: { columns: ['name', 'code'], sort: ['name'] },
    form: { sections: [{ name: 'main', label: '', fields: ['name', 'code'] }], quick: ['name', 'code'] },
  };
}

export function asset(w: Say): EntityMeta {
  return {
    ...plain,
    name: 'asset',
    collection: 'assets',
    module: 'assets',
    icon: 'monitor',
    label: w('Équipement', 'Asset'),
    label_plural: w('Équipements', 'Assets'),
    title_field: 'name',
    number: true,
    fields: [
      { ...base, name: 'number', type: 'text', label: w('Numéro', 'Number'), writable: false, system: true },
      { ...base, name: 'name', type: 'text', label: w('Nom', 'Name'), required: true },
      {
        ...base,
        name: 'user',
        type: 'link',
        label: w('Utilisateur', 'User'),
        to: 'user',
        to_collection: 'users',
      },
      { ...base, name: 'serial_number', type: 'text', label: w('Numéro de série', 'Serial number') },
    ],
    related: [
      {
        name: 'tickets',
        label: 'Tickets',
        entity: 'ticket',
        collection: 'tickets',
        via: 'impacted_assets',
        many_to_many: true,
      },
    ],
    list: { columns: ['number', 'name', 'serial_number', 'user'], sort: ['name'] },
    form: {
      sections: [{ name: 'main', label: '', fields: ['name', 'serial_number', 'user'] }],
      quick: ['name', 'serial_number', 'user'],
    },
  };
}

function specimenFields(): FieldMeta[] {
  return [
    {
      ...base,
      name: 'name',
      type: 'text',
      label: 'Text',
      required: true,
      max: 40,
      help: 'The name of the specimen.',
    },
    { ...base, name: 'long', type: 'long_text', label: 'Long text', max: 1000 },
    { ...base, name: 'rich', type: 'rich_text', label: 'Rich text' },
    { ...base, name: 'email', type: 'email', label: 'E-mail' },
    { ...base, name: 'phone', type: 'phone', label: 'Phone' },
    { ...base, name: 'url', type: 'url', label: 'Address' },
    { ...base, name: 'color', type: 'color', label: 'Colour' },
    { ...base, name: 'integer', type: 'integer', label: 'Integer', min: 0, max: 1000 },
    { ...base, name: 'decimal', type: 'decimal', label: 'Decimal', precision: 18, scale: 3, unit: 'kg' },
    { ...base, name: 'money', type: 'money', label: 'Money', precision: 18, scale: 2, currency: 'EUR' },
    { ...base, name: 'boolean', type: 'boolean', label: 'Boolean' },
    { ...base, name: 'date', type: 'date', label: 'Date' },
    { ...base, name: 'datetime', type: 'datetime', label: 'Moment' },
    { ...base, name: 'duration', type: 'duration', label: 'Duration' },
    { ...base, name: 'choice', type: 'choice', label: 'Choice', options: colors },
    { ...base, name: 'choices', type: 'choices', label: 'Choices', options: colors },
    { ...base, name: 'tags', type: 'tags', label: 'Tags' },
    { ...base, name: 'link', type: 'link', label: 'Link', to: 'user', to_collection: 'users' },
    { ...base, name: 'links', type: 'links', label: 'Links', to: 'group', to_collection: 'groups' },
    { ...base, name: 'any', type: 'any_link', label: 'Any link', to: ['user', 'group'] },
    {
      ...base,
      name: 'rows',
      type: 'children',
      label: 'Rows',
      of: 'specimen_row',
      via: 'specimen',
      fields: [
        { ...base, name: 'item', type: 'text', label: 'Item', required: true },
        { ...base, name: 'quantity', type: 'integer', label: 'Quantity', default: 1 },
        { ...base, name: 'price', type: 'decimal', label: 'Price', precision: 18, scale: 2 },
      ],
    },
    { ...base, name: 'file', type: 'file', label: 'File', max_size: 1_000_000 },
    { ...base, name: 'image', type: 'image', label: 'Image' },
    { ...base, name: 'geo', type: 'geo', label: 'Place' },
    { ...base, name: 'json', type: 'json', label: 'JSON' },
    { ...base, name: 'secret', type: 'secret', label: 'Secret' },
    { ...base, name: 'password', type: 'password', label: 'Password' },
    { ...base, name: 'computed', type: 'computed', label: 'Computed', returns: 'integer', writable: false },
    {
      ...base,
      name: 'masked',
      type: 'money',
      label: 'Masked',
      precision: 18,
      scale: 2,
      currency: 'EUR',
      writable: false,
    },
  ];
}

export function specimen(): EntityMeta {
  const fields = specimenFields();
  const names = fields.map(({ name }) => name);
  return {
    ...plain,
    name: 'specimen',
    collection: 'specimens',
    module: 'base',
    icon: 'boxes',
    label: 'Specimen',
    label_plural: 'Specimens',
    title_field: 'name',
    fields,
    list: { columns: ['name', 'integer', 'choice'], sort: ['name'] },
    form: {
      sections: [
        { name: 'texts', label: 'Texts', fields: names.slice(0, 7) },
        { name: 'values', label: 'Values', fields: names.slice(7, 17) },
        { name: 'links', label: 'Links and files', fields: names.slice(17) },
      ],
      quick: ['name', 'choice'],
    },
  };
}

export function moreRecords(stamp: Omit<RecordData, 'id'>): [string, RecordData[]][] {
  const record = (id: string, values: Record<string, unknown>): RecordData =>
    ({ ...stamp, ...values, id }) as RecordData;
  return [
    [
      'categories',
      ['Réseau', 'Matériel', 'Logiciels', 'Accès'].map((name, at) =>
        record(`category-${at}`, { name, code: `C${at + 1}` }),
      ),
    ],
    [
      'assets',
      ['LPT-AWA-01', 'IMP-ETAGE-2', 'SRV-PAIE'].map((name, at) =>
        record(`asset-${at}`, {
          name,
          number: `AST-${String(at + 1).padStart(6, '0')}`,
          serial_number: `SN-00${at}7`,
          user: at === 2 ? null : 'user-0',
        }),
      ),
    ],
    [
      'specimens',
      [
        record('specimen-0', {
          name: 'Pompe P-101',
          long: 'First line\nSecond line',
          rich: '## Consignes\n\n- **Vérifier** la pression\n- [x] vanne fermée\n\n> voir [la notice](https://example.test/notice)',
          email: 'pompe@acme.example',
          phone: '+241 01 23 45 67',
          url: 'https://example.test/pompes/101',
          color: '#3366cc',
          integer: 42,
          decimal: '1234.5',
          money: { amount: '1234567890123.45', currency: 'EUR' },
          boolean: true,
          date: '2026-05-03',
          datetime: '2026-05-03T12:30:00Z',
          duration: 5400,
          choice: 'green',
          choices: ['red', 'blue'],
          tags: ['pompe', 'critique'],
          link: 'user-1',
          links: ['group-0', 'group-2'],
          any: { entity: 'group', id: 'group-1' },
          rows: [
            { id: 'row-1', item: 'Joint', quantity: 2, price: '3.50' },
            { id: 'row-2', item: 'Boulon M12', quantity: 16, price: '0.25' },
          ],
          file: null,
          image: null,
          geo: { lat: -0.72, lon: 8.78 },
          json: { serie: 'A', limites: [1, 2, 3] },
          secret: '••••',
          computed: 84,
          masked: '••••',
        }),
      ],
    ],
  ];
}
