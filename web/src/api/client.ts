/**
 * The one way out to the server. It adds what every request of the browser needs (cookies, language,
 * CSRF token, idempotency key), renews the session once when it has run out, and turns every refusal
 * into a typed `Problem`.
 */
import { company, isCompanyUnknown } from './company';
import { newId } from './ids';
import { parseJson } from './json';
import { isProblem, offlineProblem, problemFrom } from './problem';
import { sawAnswer } from './saving';
import type { Answer, Input, PathOf, Verb } from './schema';
import { session } from './session';

const BASE = '/api/v1';
const CSRF_COOKIE = 'opsflux_csrf';

export type QueryValue = string | number | boolean | null | undefined;

export interface RequestOptions {
  query?: Record<string, QueryValue>;
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal;
  /** A POST sent twice with the same key is executed once. One is made when absent. */
  idempotencyKey?: string;
}

interface Received<T> {
  data: T;
  headers: Headers;
}

type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE';

let language = 'en';

/** The language in which the server words labels and problems. */
export function setRequestLanguage(tag: string): void {
  language = tag;
}

function cookie(name: string): string | null {
  for (const part of document.cookie.split('; ')) {
    const at = part.indexOf('=');
    if (part.slice(0, at) === name) {
      return decodeURIComponent(part.slice(at + 1));
    }
  }
  return null;
}

/** The address of an operation, as a link or a picture needs it. */
export function address(path: string, query?: RequestOptions['query']): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== undefined && value !== null) {
      search.set(name, String(value));
    }
  }
  const text = search.toString();
  return `${BASE}${path}${text ? `?${text}` : ''}`;
}

/** What every request says of itself, whoever sends it. */
export function requestHeaders(method: Method, idempotencyKey: string | null): Headers {
  const headers = new Headers({
    Accept: 'application/json',
    'Accept-Language': language,
    'X-Requested-With': 'opsflux',
  });
  const named = company.get();
  if (named) {
    headers.set('OpsFlux-Company', named);
  }
  const token = method === 'GET' ? null : cookie(CSRF_COOKIE);
  if (token) {
    headers.set('X-CSRF-Token', token);
  }
  if (idempotencyKey) {
    headers.set('Idempotency-Key', idempotencyKey);
  }
  return headers;
}

function requestInit(method: Method, options: RequestOptions, idempotencyKey: string | null): RequestInit {
  const headers = requestHeaders(method, idempotencyKey);
  for (const [name, value] of Object.entries(options.headers ?? {})) {
    headers.set(name, value);
  }
  const init: RequestInit = { method, headers, credentials: 'same-origin', signal: options.signal ?? null };
  if (options.body !== undefined) {
    headers.set('Content-Type', method === 'PATCH' ? 'application/merge-patch+json' : 'application/json');
    init.body = JSON.stringify(options.body);
  }
  return init;
}

let renewing: Promise<boolean> | null = null;

async function renew(): Promise<boolean> {
  const response = await fetch(`${BASE}/auth/refresh`, requestInit('POST', {}, null));
  if (response.status >= 500) {
    // That it cannot be renewed now says nothing about the session: nobody is logged out for it.
    throw problemFrom(response, await readBody(response).catch(() => undefined));
  }
  return response.ok;
}

/**
 * However many requests meet the end of the session at once, it is renewed by one of them. Fails when the
 * server cannot tell: it is away, or saves nothing at the moment.
 */
export function renewSession(): Promise<boolean> {
  renewing ??= renew()
    .catch((error: unknown) => {
      throw isProblem(error) ? error : offlineProblem(error);
    })
    .finally(() => {
      renewing = null;
    });
  return renewing;
}

/** Signing in is where a 401 means "wrong password" and not "session over". */
function renewable(path: string): boolean {
  return !path.startsWith('/auth/') || path === '/auth/me' || path.startsWith('/auth/sessions');
}

export async function readBody(response: Response): Promise<unknown> {
  const text = await response.text();
  if (text === '') {
    return undefined;
  }
  const type = response.headers.get('Content-Type') ?? '';
  if (!type.includes('json')) {
    return text;
  }
  return parseJson(text);
}

async function send(method: Method, path: string, options: RequestOptions): Promise<Response> {
  const key = method === 'POST' ? (options.idempotencyKey ?? newId()) : null;
  const url = address(path, options.query);
  const attempt = () => fetch(url, requestInit(method, options, key));
  try {
    let first = await attempt();
    if (company.get() && (await isCompanyUnknown(first))) {
      // Another person's, or one that this person has left.
      company.choose(null);
      first = await attempt();
    }
    if (first.status !== 401 || !renewable(path)) {
      return first;
    }
    // The second attempt reads the CSRF cookie again: renewing the session has changed it.
    const second = (await renewSession()) ? await attempt() : first;
    if (second.status === 401) {
      session.ended();
    }
    return second;
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') {
      throw error;
    }
    throw isProblem(error) ? error : offlineProblem(error);
  }
}

/**
 * An operation on a collection that only the metadata names. What it answers is what the caller says, since
 * the OpenAPI document has one shape per entity and this interface knows none of them.
 */
export async function request<T>(
  method: Method,
  path: string,
  options: RequestOptions = {},
): Promise<Received<T>> {
  const writes = method !== 'GET';
  const response = await send(method, path, options).catch((error: unknown) => {
    if (isProblem(error)) {
      sawAnswer(writes, error);
    }
    throw error;
  });
  const body = await readBody(response).catch((error: unknown) => {
    if (error instanceof SyntaxError) {
      return undefined;
    }
    throw error;
  });
  const problem = response.ok ? null : problemFrom(response, body);
  sawAnswer(writes, problem);
  if (problem) {
    throw problem;
  }
  return { data: body as T, headers: response.headers };
}

async function dataOf<T>(answer: Promise<Received<T>>): Promise<T> {
  return (await answer).data;
}

/** Collections of the metadata, by path: see `request`. */
export const collections = {
  get: <T>(path: string, options?: RequestOptions) => dataOf(request<T>('GET', path, options)),
  post: <T>(path: string, body?: unknown, options?: RequestOptions) =>
    dataOf(request<T>('POST', path, { ...options, body })),
  patch: <T>(path: string, body: unknown, options?: RequestOptions) =>
    dataOf(request<T>('PATCH', path, { ...options, body })),
};

/** `/auth/sessions/{id}` with the id in its place. */
function filled(path: string, parts: Record<string, string> = {}): string {
  return path.replace(/\{(\w+)\}/g, (_place, name: string) => encodeURIComponent(parts[name] ?? ''));
}

type Sent = Pick<RequestOptions, 'query' | 'body'> & { path?: Record<string, string> };
type Rest = Pick<RequestOptions, 'signal' | 'idempotencyKey'>;

function operation<V extends Verb>(verb: V) {
  return <P extends PathOf<V>>(path: P, input: Input<V, P> & Rest): Promise<Answer<V, P>> => {
    const { path: parts, ...options } = input as Sent & Rest;
    const method = verb.toUpperCase() as Method;
    return dataOf(request<Answer<V, P>>(method, filled(path, parts), options));
  };
}

/** The operations that the OpenAPI document names: the compiler knows what each takes and answers. */
export const api = {
  get: operation('get'),
  post: operation('post'),
  patch: operation('patch'),
  delete: operation('delete'),
};
