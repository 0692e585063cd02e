/** The fake server: collections in memory behind the documented operations, as msw handlers. */
import { delay, HttpResponse, http, type JsonBodyType } from 'msw';
import type {
  BulkOperation,
  BulkResult,
  ChangeEvent,
  EntityMeta,
  Me,
  ProblemDocument,
  RecordData,
} from '@/api/types';
import { activityHandlers } from './activity';
import { ME, seed } from './data';
import { appMeta, entities, type Words } from './meta';
import { type Context, listPage } from './query';

const API = '*/api/v1';

const savedViews = {
  name: 'saved_view',
  collection: 'saved-views',
  title_field: 'name',
  fields: [],
  states: [],
  list: { columns: [], sort: ['name'] },
} as unknown as EntityMeta;

export interface FakeOptions {
  tickets?: number;
  now?: number;
  signedIn?: boolean;
  /** Milliseconds before each answer. */
  latency?: number;
}

function problem(status: number, code: string, detail: string, more: Partial<ProblemDocument> = {}) {
  const document: ProblemDocument = { type: `/problems/${code}`, title: code, status, detail, ...more };
  return HttpResponse.json(document as unknown as JsonBodyType, {
    status,
    headers: { 'Content-Type': 'application/problem+json' },
  });
}

export class FakeServer {
  readonly collections: Map<string, Map<string, RecordData>>;
  /** Every request that came in, as "GET /tickets?…", for tests to look at. */
  readonly requests: Request[] = [];
  signedIn: boolean;
  me: Me;
  private readonly latency: number;
  private readonly streams = new Set<(event: ChangeEvent) => void>();

  constructor({ tickets = 300, now = Date.now(), signedIn = true, latency = 0 }: FakeOptions = {}) {
    this.collections = seed(tickets, now);
    this.signedIn = signedIn;
    this.latency = latency;
    this.me = {
      id: ME,
      full_name: 'Awa Ndong',
      email: 'awa.ndong@acme.example',
      username: '@awa.ndong.acme',
      language: null,
      time_zone: 'Africa/Libreville',
      theme: 'system',
      roles: ['technician'],
    };
  }

  /** What another person does: a change with its entry in the stream. */
  publish(event: ChangeEvent): void {
    for (const send of this.streams) {
      send(event);
    }
  }

  words(request: Request): Words {
    return request.headers.get('Accept-Language')?.startsWith('fr') ? 'fr' : 'en';
  }

  entityOf(collection: string, words: Words): EntityMeta | undefined {
    return collection === 'saved-views'
      ? savedViews
      : entities(words).find((candidate) => candidate.collection === collection);
  }

  /** The title of every record there is. */
  titles(): Record<string, string> {
    const labels: Record<string, string> = {};
    for (const { collection, title_field } of entities('en')) {
      for (const record of this.collections.get(collection)?.values() ?? []) {
        labels[record.id] = String(record[title_field ?? 'id']);
      }
    }
    return labels;
  }

  titleOf(id: string): string {
    return this.titles()[id] ?? id;
  }

  private context(entity: EntityMeta): Context {
    return { me: ME, labels: this.titles(), entity };
  }

  find(collection: string, id: string): RecordData | undefined {
    const records = this.collections.get(collection);
    return records?.get(id) ?? [...(records?.values() ?? [])].find((record) => record.number === id);
  }

  write(collection: string, record: RecordData, changes: Record<string, unknown>): RecordData {
    const { base_version: _base, ...fields } = changes;
    const next = { ...record, ...fields, version: record.version + 1, updated_at: new Date().toISOString() };
    this.collections.get(collection)?.set(record.id, next);
    return next;
  }

  private create(collection: string, data: Record<string, unknown>): RecordData {
    const now = new Date().toISOString();
    const id = typeof data.id === 'string' ? data.id : crypto.randomUUID();
    const count = this.collections.get(collection)?.size ?? 0;
    const number =
      collection === 'tickets'
        ? { number: `TIC-${String(30_000 + count).padStart(6, '0')}`, status: 'new' }
        : {};
    const record = { ...number, ...data, id, version: 1, created_at: now, updated_at: now, created_by: ME };
    this.collections.get(collection)?.set(id, record);
    return record;
  }

  /** A closed ticket refuses changes, so that a bulk edit has something to report. */
  private bulkOne(collection: string, operation: BulkOperation): BulkResult {
    if (operation.op === 'create') {
      return { status: 201, record: this.create(collection, operation.data) };
    }
    const record = this.find(collection, operation.id);
    const refuse = (status: number, detail: string): BulkResult => ({
      status,
      problem: { type: '/problems/refused', title: 'refused', status, detail },
    });
    if (operation.op === 'restore' && record?._deleted) {
      return { status: 200, record: this.write(collection, record, { _deleted: false }) };
    }
    if (!record || record._deleted || operation.op === 'restore') {
      return refuse(404, 'No such record.');
    }
    if (operation.op === 'delete') {
      this.write(collection, record, { _deleted: true });
      return { status: 204 };
    }
    if (operation.version !== undefined && operation.version !== record.version) {
      return refuse(409, 'Somebody else has changed this record.');
    }
    if (record.status === 'closed') {
      return refuse(403, 'This ticket is closed.');
    }
    return { status: 200, record: this.write(collection, record, operation.data) };
  }

  private sessionHandlers() {
    return [
      http.post(`${API}/auth/login`, async ({ request }) => {
        const { email, password } = (await request.json()) as { email: string; password: string };
        if (password === 'wrong' || !email) {
          return problem(401, 'invalid_credentials', 'Unknown account or wrong password.');
        }
        this.signedIn = true;
        return HttpResponse.json({ token_type: 'bearer', expires_in: 900 });
      }),
      http.post(`${API}/auth/refresh`, () =>
        this.signedIn
          ? HttpResponse.json({ token_type: 'bearer' })
          : problem(401, 'unauthenticated', 'Log in.'),
      ),
      http.post(`${API}/auth/logout`, () => {
        this.signedIn = false;
        return new HttpResponse(null, { status: 204 });
      }),
      http.get(`${API}/notifications/unread`, () => HttpResponse.json({ count: 0 })),
      http.patch(`${API}/auth/me`, async ({ request }) => {
        this.me = { ...this.me, ...((await request.json()) as Partial<Me>) };
        return HttpResponse.json(this.me);
      }),
      http.get(`${API}/auth/sessions`, () => {
        const at = (hours: number) => new Date(Date.now() - hours * 3_600_000).toISOString();
        const firefox = 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0';
        const phone =
          'Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 Chrome/126.0.0.0 Mobile Safari/537.36';
        return HttpResponse.json({
          items: [
            {
              id: 's1',
              current: true,
              user_agent: firefox,
              address: '10.0.4.17',
              created_at: at(30),
              last_seen_at: at(0),
            },
            {
              id: 's2',
              current: false,
              user_agent: phone,
              address: '41.158.20.9',
              created_at: at(80),
              last_seen_at: at(5),
            },
          ],
        });
      }),
      http.delete(`${API}/auth/sessions/:id`, () => new HttpResponse(null, { status: 204 })),
    ];
  }

  private metaHandlers() {
    return [
      http.get(`${API}/meta/app`, ({ request }) => HttpResponse.json(appMeta(this.words(request), this.me))),
      http.get(`${API}/meta/entities/:name`, ({ request, params }) => {
        const found = entities(this.words(request)).find((entity) => entity.name === params.name);
        return found ? HttpResponse.json(found) : problem(404, 'not_found', 'No such entity.');
      }),
      http.get(`${API}/search`, ({ request }) => {
        const query = new URL(request.url).searchParams;
        const items = entities(this.words(request)).flatMap((entity) => {
          const records = [...(this.collections.get(entity.collection)?.values() ?? [])];
          const { items: found } = listPage(records, query, this.context(entity));
          return found.slice(0, 5).map((record) => ({
            entity: entity.name,
            collection: entity.collection,
            id: record.id,
            number: record.number ?? null,
            title: String(record[entity.title_field ?? 'id']),
            highlight: null,
            label: entity.label,
          }));
        });
        return HttpResponse.json({ items });
      }),
      http.get(`${API}/stream`, () => {
        const encoder = new TextEncoder();
        let close: () => void = () => undefined;
        const body = new ReadableStream<Uint8Array>({
          start: (controller) => {
            controller.enqueue(encoder.encode(': connected\n\n'));
            const send = (event: ChangeEvent) =>
              controller.enqueue(encoder.encode(`event: change\ndata: ${JSON.stringify(event)}\n\n`));
            this.streams.add(send);
            close = () => this.streams.delete(send);
          },
          cancel: () => close(),
        });
        return new HttpResponse(body, { headers: { 'Content-Type': 'text/event-stream' } });
      }),
    ];
  }

  private recordHandlers() {
    return [
      http.get(`${API}/:collection`, ({ request, params }) => {
        const entity = this.entityOf(String(params.collection), this.words(request));
        if (!entity) {
          return problem(404, 'not_found', 'No such collection.');
        }
        const records = [...(this.collections.get(entity.collection)?.values() ?? [])];
        const page = listPage(records, new URL(request.url).searchParams, this.context(entity));
        return HttpResponse.json(page as unknown as JsonBodyType);
      }),
      http.post(`${API}/:collection/bulk`, async ({ request, params }) => {
        const { operations } = (await request.json()) as { operations: BulkOperation[] };
        const results = operations.map((operation) => this.bulkOne(String(params.collection), operation));
        return HttpResponse.json({ results } as unknown as JsonBodyType);
      }),
      http.post(`${API}/:collection/:id/restore`, ({ params }) => {
        const collection = String(params.collection);
        const record = this.find(collection, String(params.id));
        return record
          ? HttpResponse.json(this.write(collection, record, { _deleted: false }))
          : problem(404, 'not_found', 'No such record.');
      }),
      http.get(`${API}/:collection/:id/:nested`, () =>
        HttpResponse.json({ items: [], labels: {}, next_cursor: null }),
      ),
      http.get(`${API}/:collection/:id`, ({ request, params }) => {
        const collection = String(params.collection);
        const entity = this.entityOf(collection, this.words(request));
        const record = this.find(collection, String(params.id));
        const asked = new URL(request.url).searchParams.get('deleted') === 'true';
        if (!entity || !record || Boolean(record._deleted) !== asked) {
          return problem(404, 'not_found', 'This record does not exist, or you may not see it.');
        }
        const { labels } = this.context(entity);
        return HttpResponse.json({ ...record, labels, can: { edit: true, delete: true } });
      }),
      http.post(`${API}/:collection`, async ({ request, params }) => {
        const data = (await request.json()) as Record<string, unknown>;
        return HttpResponse.json(this.create(String(params.collection), data), { status: 201 });
      }),
      http.patch(`${API}/:collection/:id`, async ({ request, params }) => {
        const collection = String(params.collection);
        const record = this.find(collection, String(params.id));
        const changes = (await request.json()) as Record<string, unknown>;
        return record
          ? HttpResponse.json(this.write(collection, record, changes))
          : problem(404, 'not_found', 'No such record.');
      }),
      http.delete(`${API}/:collection/:id`, ({ params }) => {
        const collection = String(params.collection);
        const record = this.find(collection, String(params.id));
        if (!record) {
          return problem(404, 'not_found', 'No such record.');
        }
        this.write(collection, record, { _deleted: true });
        return new HttpResponse(null, {
          status: 204,
          headers: { 'OpsFlux-Deletion': `deletion-${record.id}` },
        });
      }),
    ];
  }

  get handlers() {
    const gate = http.all(`${API}/*`, async ({ request }) => {
      this.requests.push(request.clone());
      if (this.latency > 0) {
        await delay(this.latency);
      }
      const path = new URL(request.url).pathname;
      const open = path.endsWith('/auth/login') || path.endsWith('/auth/refresh');
      return this.signedIn || open ? undefined : problem(401, 'unauthenticated', 'Log in.');
    });
    return [
      gate,
      ...this.sessionHandlers(),
      ...this.metaHandlers(),
      ...activityHandlers(this),
      ...this.recordHandlers(),
    ];
  }
}
