/** Metadata of a small service desk, in French and English, as the server would answer it. */
import type { AppMeta, ChoiceOption, EntityMeta, FieldMeta, Operator, StateMeta } from '@/api/types';

import { asset, category, deskFields, specimen } from './specimen';

export type Words = 'fr' | 'en';

const text: Operator[] = ['eq', 'ne', 'contains', 'starts_with', 'ends_with', 'in', 'not_in', 'is_empty'];
const ordered: Operator[] = ['eq', 'ne', 'in', 'not_in', 'gt', 'gte', 'lt', 'lte', 'is_empty'];
const sets: Operator[] = ['eq', 'ne', 'in', 'not_in', 'is_empty'];
const times: Operator[] = ['eq', 'ne', 'gt', 'gte', 'lt', 'lte', 'is_empty'];

const base = { writable: true, sortable: true, required: false, system: false, help: null };

function options(
  words: Words,
  list: [value: string, color: ChoiceOption['color'], fr: string, en: string][],
): ChoiceOption[] {
  return list.map(([value, color, fr, en]) => ({ value, color, label: words === 'fr' ? fr : en }));
}

function systemFields(words: Words): FieldMeta[] {
  const w = (fr: string, en: string) => (words === 'fr' ? fr : en);
  const system = { ...base, writable: false, system: true };
  return [
    { ...system, name: 'created_at', type: 'datetime', label: w('Créé le', 'Created'), operators: times },
    { ...system, name: 'updated_at', type: 'datetime', label: w('Modifié le', 'Updated'), operators: times },
    {
      ...system,
      name: 'created_by',
      type: 'link',
      label: w('Créé par', 'Created by'),
      to: 'user',
      to_collection: 'users',
      sortable: false,
      operators: sets,
    },
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

function ticketStates(words: Words): StateMeta[] {
  const w = (fr: string, en: string) => (words === 'fr' ? fr : en);
  const labels: Record<string, string> = {
    todo: w('À faire', 'To do'),
    in_progress: w('En cours', 'In progress'),
    done: w('Terminé', 'Done'),
    closed: w('Fermé', 'Closed'),
  };
  const to = (...states: string[]) =>
    states.map((state) => ({
      state,
      label: labels[state] ?? state,
      requires: state === 'done' ? ['resolution'] : [],
    }));
  return [
    {
      value: 'new',
      label: w('Nouveau', 'New'),
      category: 'open',
      color: 'blue',
      to: to('todo', 'in_progress'),
    },
    { value: 'todo', label: w('À faire', 'To do'), category: 'open', color: 'cyan', to: to('in_progress') },
    {
      value: 'in_progress',
      label: w('En cours', 'In progress'),
      category: 'active',
      color: 'amber',
      to: to('done'),
    },
    {
      value: 'on_hold',
      label: w('En attente', 'On hold'),
      category: 'waiting',
      color: 'violet',
      to: to('todo'),
    },
    { value: 'done', label: w('Terminé', 'Done'), category: 'done', color: 'green', to: to('closed') },
    {
      value: 'closed',
      label: w('Fermé', 'Closed'),
      category: 'closed',
      color: 'gray',
      to: to('in_progress'),
    },
  ];
}

function ticketFields(words: Words): FieldMeta[] {
  const w = (fr: string, en: string) => (words === 'fr' ? fr : en);
  const system = { ...base, writable: false, system: true };
  return [
    { ...system, name: 'number', type: 'text', label: w('Numéro', 'Number'), operators: text },
    {
      ...base,
      name: 'title',
      type: 'text',
      label: w('Titre', 'Title'),
      required: true,
      max: 200,
      operators: text,
    },
    {
      ...base,
      name: 'description',
      type: 'rich_text',
      label: 'Description',
      sortable: false,
      operators: text,
    },
    {
      ...base,
      name: 'kind',
      type: 'choice',
      label: w('Nature', 'Kind'),
      default: 'incident',
      operators: ordered,
      options: options(words, [
        ['incident', 'red', 'Incident', 'Incident'],
        ['request', 'blue', 'Demande', 'Request'],
        ['change', 'violet', 'Changement', 'Change'],
        ['problem', 'amber', 'Problème', 'Problem'],
      ]),
    },
    {
      ...base,
      name: 'status',
      type: 'state',
      label: w('Statut', 'Status'),
      initial: 'new',
      operators: ordered,
    },
    {
      ...base,
      name: 'priority',
      type: 'choice',
      label: w('Priorité', 'Priority'),
      default: 'medium',
      operators: ordered,
      options: options(words, [
        ['low', 'gray', 'Basse', 'Low'],
        ['medium', 'blue', 'Moyenne', 'Medium'],
        ['high', 'orange', 'Haute', 'High'],
        ['critical', 'red', 'Critique', 'Critical'],
      ]),
    },
    {
      ...base,
      name: 'assigned_group',
      type: 'link',
      label: w('Groupe', 'Group'),
      to: 'group',
      to_collection: 'groups',
      sortable: false,
      operators: sets,
    },
    {
      ...base,
      name: 'assignee',
      type: 'link',
      label: w('Technicien', 'Assignee'),
      to: 'user',
      to_collection: 'users',
      sortable: false,
      operators: sets,
    },
    {
      ...base,
      name: 'requester',
      type: 'link',
      label: w('Demandeur', 'Requester'),
      to: 'user',
      to_collection: 'users',
      sortable: false,
      operators: sets,
    },
    { ...base, name: 'due_at', type: 'datetime', label: w('Échéance', 'Due'), operators: times },
    { ...base, name: 'tags', type: 'tags', label: w('Étiquettes', 'Tags'), sortable: false, operators: sets },
    {
      ...base,
      name: 'cost',
      type: 'money',
      label: w('Coût', 'Cost'),
      precision: 18,
      scale: 2,
      currency: 'EUR',
      operators: times,
    },
    ...deskFields(w),
    ...systemFields(words),
  ];
}

function ticket(words: Words): EntityMeta {
  const w = (fr: string, en: string) => (words === 'fr' ? fr : en);
  return {
    ...plain,
    name: 'ticket',
    collection: 'tickets',
    module: 'desk',
    icon: 'ticket',
    label: 'Ticket',
    label_plural: 'Tickets',
    title_field: 'title',
    number: true,
    state_field: 'status',
    comments: true,
    internal_comments: true,
    files: true,
    sharing: true,
    fields: ticketFields(words),
    states: ticketStates(words),
    related: [
      {
        name: 'children',
        label: w('Sous-tickets', 'Sub-tickets'),
        entity: 'ticket',
        collection: 'tickets',
        via: 'parent',
        many_to_many: false,
      },
    ],
    list: {
      columns: [
        'number',
        'title',
        'status',
        'priority',
        'assigned_group',
        'assignee',
        'requester',
        'updated_at',
      ],
      sort: ['-created_at'],
    },
    form: {
      sections: [
        {
          name: 'main',
          label: w('L’essentiel', 'The essentials'),
          fields: ['title', 'description', 'kind', 'category', 'impacted_assets'],
        },
        {
          name: 'handling',
          label: w('Traitement', 'Handling'),
          fields: [
            'status',
            'priority',
            'assigned_group',
            'assignee',
            'due_at',
            'requester',
            'tags',
            'cost',
            'parent',
            'resolution',
            'resolved_at',
          ],
        },
      ],
      quick: ['title', 'kind', 'priority'],
    },
    views: [
      {
        name: 'mine',
        label: w('Mes tickets', 'My tickets'),
        columns: ['number', 'title', 'status', 'priority', 'due_at'],
        sort: ['-priority'],
        filter: {
          all: [
            { field: 'assignee', op: 'eq', value: '@me' },
            { field: 'status', op: 'not_in', value: ['done', 'closed'] },
          ],
        },
      },
      {
        name: 'critical',
        label: w('Critiques', 'Critical'),
        columns: [],
        sort: [],
        filter: { field: 'priority', op: 'eq', value: 'critical' },
      },
    ],
  };
}

function user(words: Words): EntityMeta {
  const w = (fr: string, en: string) => (words === 'fr' ? fr : en);
  return {
    ...plain,
    name: 'user',
    collection: 'users',
    module: 'base',
    icon: 'user',
    label: w('Utilisateur', 'User'),
    label_plural: w('Utilisateurs', 'Users'),
    title_field: 'full_name',
    can: { ...rights, create: false, delete: false },
    fields: [
      { ...base, name: 'full_name', type: 'text', label: w('Nom', 'Name'), required: true, operators: text },
      { ...base, name: 'email', type: 'email', label: w('E-mail', 'E-mail'), operators: text },
      { ...base, name: 'active', type: 'boolean', label: w('Actif', 'Active'), operators: ['eq', 'ne'] },
      ...systemFields(words),
    ],
    list: { columns: ['full_name', 'email', 'active'], sort: ['full_name'] },
    form: {
      sections: [{ name: 'main', label: '', fields: ['full_name', 'email', 'active'] }],
      quick: ['full_name'],
    },
  };
}

function group(words: Words): EntityMeta {
  const w = (fr: string, en: string) => (words === 'fr' ? fr : en);
  return {
    ...plain,
    name: 'group',
    collection: 'groups',
    module: 'base',
    icon: 'users',
    label: w('Groupe', 'Group'),
    label_plural: w('Groupes', 'Groups'),
    title_field: 'name',
    fields: [
      { ...base, name: 'name', type: 'text', label: w('Nom', 'Name'), required: true, operators: text },
      ...systemFields(words),
    ],
    list: { columns: ['name', 'created_at'], sort: ['name'] },
    form: { sections: [{ name: 'main', label: '', fields: ['name'] }], quick: ['name'] },
  };
}

export function entities(words: Words): EntityMeta[] {
  const w = (fr: string, en: string) => (words === 'fr' ? fr : en);
  return [ticket(words), user(words), group(words), category(w), asset(w), specimen()];
}

export function appMeta(words: Words, me: AppMeta['user']): AppMeta {
  const w = (fr: string, en: string) => (words === 'fr' ? fr : en);
  const all = entities(words);
  const item = (name: string) => {
    const found = all.find((entity) => entity.name === name);
    return found
      ? [{ entity: name, collection: found.collection, label: found.label_plural, icon: found.icon }]
      : [];
  };
  return {
    name: 'OpsFlux',
    version: '0.1.0',
    mode: 'development',
    languages: ['fr', 'en', 'es', 'pt'],
    user: me,
    companies: [{ id: 'company-1', name: 'ACME Gabon' }],
    menu: [
      {
        module: 'desk',
        label: w('Centre de services', 'Service desk'),
        icon: 'life-buoy',
        items: [
          ...item('ticket'),
          { page: 'self-service', label: w('Mes demandes', 'My requests'), icon: 'hand-helping' },
        ],
      },
      {
        module: 'base',
        label: w('Organisation', 'Organization'),
        icon: 'building-2',
        items: [
          ...item('user'),
          ...item('group'),
          ...item('category'),
          ...item('asset'),
          ...item('specimen'),
        ],
      },
    ],
    entities: all.map(({ name, collection, label, label_plural, icon, title_field, search, can }) => ({
      name,
      collection,
      label,
      label_plural,
      icon,
      title_field,
      search,
      can,
    })),
    settings: {},
  };
}
