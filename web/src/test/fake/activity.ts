/** The part of the fake server that a record's page is about: merging, history, comments, files. */
import { HttpResponse, http, type JsonBodyType } from 'msw';
import type { CommentData, EntityMeta, FieldConflict, FileData, HistoryEntry, RecordData } from '@/api/types';
import { kindOf } from '@/records/fields/lookup';
import { ME } from './data';
import type { FakeServer } from './server';

const API = '*/api/v1';

interface Owned<T> {
  owner: string;
  deleted: boolean;
  data: T;
}

interface Kept {
  comments: Map<string, Owned<CommentData>>;
  files: Map<string, Owned<FileData> & { content: Blob }>;
  history: Map<string, HistoryEntry[]>;
  /** Every version a record has had, to merge with. */
  versions: Map<string, RecordData>;
}

const keptOf = new WeakMap<FakeServer, Kept>();

function kept(server: FakeServer): Kept {
  const found = keptOf.get(server) ?? {
    comments: new Map(),
    files: new Map(),
    history: new Map(),
    versions: new Map(),
  };
  keptOf.set(server, found);
  return found;
}

const HOUR = 3_600_000;

function before(record: RecordData, hours: number): string {
  return new Date(Date.parse(String(record.created_at)) + hours * HOUR).toISOString();
}

/** What had happened to a ticket before anybody looked at it. */
function seedTicket(server: FakeServer, record: RecordData): void {
  const { comments, history } = kept(server);
  if (history.has(record.id) || record.number === undefined || record.status === undefined) {
    return;
  }
  const say = (at: number, by: string, body: string, internal = false) => {
    const id = `comment-${record.id}-${at}`;
    comments.set(id, {
      owner: record.id,
      deleted: false,
      data: { id, body, internal, created_at: before(record, at), created_by: by },
    });
  };
  say(0.6, 'user-2', 'Même problème ce matin chez mes collègues, **rien** ne s’imprime.');
  say(1.2, ME, 'Le spouleur était bloqué, je le redémarre.\n\n```\nnet stop spooler\n```', true);
  say(2, ME, 'C’est relancé de notre côté, pouvez-vous réessayer ?');
  const entry = (
    at: number,
    actor: string,
    action: string,
    changes: HistoryEntry['changes'],
  ): HistoryEntry => ({
    id: `change-${record.id}-${at}`,
    at: before(record, at),
    actor: { id: actor, name: server.titleOf(actor) },
    action,
    source: 'web',
    changes,
    result: 'ok',
    reason: null,
  });
  history.set(record.id, [
    entry(1.1, ME, 'update', [
      { field: 'status', before: 'new', after: record.status },
      { field: 'assignee', before: null, after: ME },
    ]),
    entry(0, 'user-2', 'create', [
      { field: 'title', before: null, after: record.title },
      { field: 'priority', before: null, after: record.priority },
    ]),
  ]);
}

function page<T>(items: T[], server: FakeServer) {
  return HttpResponse.json({ items, labels: server.titles(), next_cursor: null } as unknown as JsonBodyType);
}

function living<T>(map: Map<string, Owned<T>>, owner: string): T[] {
  return [...map.values()].filter((entry) => entry.owner === owner && !entry.deleted).map(({ data }) => data);
}

function problem(status: number, code: string, title: string, more: Record<string, unknown> = {}) {
  return HttpResponse.json(
    { type: `/problems/${code}`, title, status, detail: title, ...more } as unknown as JsonBodyType,
    { status, headers: { 'Content-Type': 'application/problem+json' } },
  );
}

/** The refusals a server makes of a change, in the order it makes them. */
function refusal(
  entity: EntityMeta,
  record: RecordData,
  changes: Record<string, unknown>,
  confirmed: boolean,
) {
  const errors = entity.fields.flatMap((field) => {
    const value = field.name in changes ? changes[field.name] : record[field.name];
    const missing = field.required && kindOf(field).isEmpty(value);
    return missing ? [{ field: field.name, code: 'required', message: 'This field is required.' }] : [];
  });
  if (String(changes.title ?? '').includes('forbidden')) {
    errors.push({ field: 'title', code: 'pattern', message: 'This word is not allowed.' });
    errors.push({ field: 'secret_code', code: 'unknown_field', message: 'There is no such field.' });
  }
  if (errors.length > 0) {
    return problem(422, 'invalid', 'Some fields are wrong.', { errors });
  }
  const state = entity.state_field;
  if (state !== null && state in changes && changes[state] !== record[state]) {
    const from = entity.states.find(({ value }) => value === record[state]);
    const allowed = from?.to.map((move) => move.state) ?? [];
    if (!allowed.includes(String(changes[state]))) {
      return problem(409, 'state_not_allowed', 'Not possible from this state.', { allowed });
    }
    if (changes[state] === 'closed' && !confirmed) {
      return problem(409, 'confirmation_required', 'Close with open sub-tickets?', {
        detail: '2 sub-tickets are still open.',
        confirm_token: 'yes-close-it',
      });
    }
  }
  return null;
}

function conflictsOf(
  entity: EntityMeta,
  base: RecordData,
  now: RecordData,
  changes: Record<string, unknown>,
) {
  return Object.entries(changes).flatMap(([name, yours]): FieldConflict[] => {
    const field = entity.fields.find((candidate) => candidate.name === name);
    if (!field) {
      return [];
    }
    const { equal } = kindOf(field);
    const was = base[name] ?? null;
    const theirs = now[name] ?? null;
    return equal(was, theirs) || equal(yours, theirs) ? [] : [{ field: name, base: was, yours, theirs }];
  });
}

function noteChange(
  server: FakeServer,
  before: RecordData,
  after: RecordData,
  names: string[],
  actor: string,
) {
  const { history, versions } = kept(server);
  versions.set(`${before.id}@${before.version}`, before);
  const entry: HistoryEntry = {
    id: crypto.randomUUID(),
    at: new Date().toISOString(),
    actor: { id: actor, name: server.titleOf(actor) },
    action: 'update',
    source: 'web',
    changes: names.map((field) => ({ field, before: before[field] ?? null, after: after[field] ?? null })),
    result: 'ok',
    reason: null,
  };
  history.set(after.id, [entry, ...(history.get(after.id) ?? [])]);
}

/** Another person's change, as it reaches everybody: with its history and its entry in the stream. */
export function changeByAnother(
  server: FakeServer,
  collection: string,
  id: string,
  changes: Record<string, unknown>,
  by = 'user-1',
): void {
  const record = server.find(collection, id);
  const entity = server.entityOf(collection, 'en');
  if (!record || !entity) {
    throw new Error(`no ${collection}/${id}`);
  }
  const next = server.write(collection, record, changes);
  noteChange(server, record, next, Object.keys(changes), by);
  server.publish({
    entity: entity.name,
    id: record.id,
    version: next.version,
    op: 'updated',
    by,
    fields: Object.keys(changes),
  });
}

function patchHandler(server: FakeServer) {
  return http.patch(`${API}/:collection/:id`, async ({ request, params }) => {
    const collection = String(params.collection);
    const entity = server.entityOf(collection, server.words(request));
    const record = server.find(collection, String(params.id));
    if (!entity || !record || collection === 'saved-views' || collection === 'comments') {
      return undefined;
    }
    const { base_version: base, ...changes } = (await request.json()) as Record<string, unknown>;
    const { versions } = kept(server);
    const old = versions.get(`${record.id}@${base}`);
    const conflicts = old ? conflictsOf(entity, old, record, changes) : [];
    if (conflicts.length > 0) {
      return problem(409, 'edit_conflict', 'Somebody else has changed the same fields.', { conflicts });
    }
    const refused = refusal(entity, record, changes, request.headers.get('X-Confirm') === 'yes-close-it');
    if (refused) {
      return refused;
    }
    const next = server.write(collection, record, changes);
    noteChange(server, record, next, Object.keys(changes), ME);
    server.publish({ entity: entity.name, id: record.id, version: next.version, op: 'updated', by: ME });
    const { record: shown, labels } = { record: next, labels: server.titles() };
    return HttpResponse.json({
      ...shown,
      labels,
      can: { edit: true, delete: true },
    } as unknown as JsonBodyType);
  });
}

function commentHandlers(server: FakeServer) {
  const { comments } = kept(server);
  const mark = (id: string, deleted: boolean) => {
    const found = comments.get(id);
    if (found) {
      comments.set(id, { ...found, deleted });
    }
    return new HttpResponse(null, { status: found ? 204 : 404 });
  };
  return [
    http.get(`${API}/:collection/:id/comments`, ({ params }) => {
      const record = server.find(String(params.collection), String(params.id));
      if (record) {
        seedTicket(server, record);
      }
      const items = living(comments, record?.id ?? '').toSorted((a, b) =>
        b.created_at.localeCompare(a.created_at),
      );
      return page(items, server);
    }),
    http.post(`${API}/:collection/:id/comments`, async ({ request, params }) => {
      const record = server.find(String(params.collection), String(params.id));
      const sent = (await request.json()) as { id: string; body: string; internal?: boolean };
      const data: CommentData = {
        id: sent.id,
        body: sent.body,
        internal: sent.internal ?? false,
        created_at: new Date().toISOString(),
        created_by: ME,
      };
      comments.set(data.id, { owner: record?.id ?? '', deleted: false, data });
      return HttpResponse.json(data as unknown as JsonBodyType, { status: 201 });
    }),
    http.patch(`${API}/comments/:id`, async ({ request, params }) => {
      const found = comments.get(String(params.id));
      const { body } = (await request.json()) as { body: string };
      if (!found) {
        return problem(404, 'not_found', 'No such comment.');
      }
      comments.set(found.data.id, { ...found, data: { ...found.data, body } });
      return HttpResponse.json({ ...found.data, body } as unknown as JsonBodyType);
    }),
    http.delete(`${API}/comments/:id`, ({ params }) => mark(String(params.id), true)),
    http.post(`${API}/comments/:id/restore`, ({ params }) => mark(String(params.id), false)),
  ];
}

function fileHandlers(server: FakeServer) {
  const { files } = kept(server);
  const receive = async (request: Request, owner: string) => {
    const form = await request.formData();
    const items = form.getAll('file').map((part): FileData => {
      const file = part as File;
      const data: FileData = {
        id: crypto.randomUUID(),
        name: file.name,
        size: file.size,
        media_type: file.type || 'application/octet-stream',
        created_at: new Date().toISOString(),
        created_by: ME,
      };
      files.set(data.id, { owner, deleted: false, data, content: file });
      return data;
    });
    return HttpResponse.json({ items } as unknown as JsonBodyType, { status: 201 });
  };
  const mark = (id: string, deleted: boolean) => {
    const found = files.get(id);
    if (found) {
      files.set(id, { ...found, deleted });
    }
    return new HttpResponse(null, { status: found ? 204 : 404 });
  };
  return [
    http.get(`${API}/files/:id/content`, ({ params }) => {
      const found = files.get(String(params.id));
      return found
        ? new HttpResponse(found.content, { headers: { 'Content-Type': found.data.media_type } })
        : problem(404, 'not_found', 'No such file.');
    }),
    http.get(`${API}/:collection/:id/files`, ({ params }) =>
      page(living(files, server.find(String(params.collection), String(params.id))?.id ?? ''), server),
    ),
    http.post(`${API}/files`, ({ request }) => receive(request, '')),
    http.post(`${API}/:collection/:id/files`, ({ request, params }) =>
      receive(request, server.find(String(params.collection), String(params.id))?.id ?? ''),
    ),
    http.delete(`${API}/files/:id`, ({ params }) => mark(String(params.id), true)),
    http.post(`${API}/files/:id/restore`, ({ params }) => mark(String(params.id), false)),
  ];
}

export function activityHandlers(server: FakeServer) {
  return [
    ...commentHandlers(server),
    ...fileHandlers(server),
    http.get(`${API}/:collection/:id/history`, ({ params }) => {
      const record = server.find(String(params.collection), String(params.id));
      if (record) {
        seedTicket(server, record);
      }
      return page(kept(server).history.get(record?.id ?? '') ?? [], server);
    }),
    patchHandler(server),
  ];
}
