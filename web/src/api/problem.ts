/** What a refused or failed request throws: one error type, whatever went wrong. */
import type { FieldConflict, FieldError, ProblemDocument } from './types';

export class Problem extends Error {
  readonly status: number;
  readonly document: ProblemDocument;
  /** Seconds to wait before trying again, when the server says so. */
  readonly retryAfter: number | null;

  constructor(document: ProblemDocument, retryAfter: number | null = null) {
    super(document.detail ?? document.title);
    this.name = 'Problem';
    this.status = document.status;
    this.document = document;
    this.retryAfter = retryAfter;
  }

  /** The last part of the problem's type: `confirmation_required`, `state_not_allowed` … */
  get code(): string {
    return this.document.type.split('/').at(-1) ?? '';
  }

  get fieldErrors(): FieldError[] {
    return this.document.errors ?? [];
  }

  get conflicts(): FieldConflict[] {
    return this.document.conflicts ?? [];
  }

  /** The request never got an answer: no network, or the server is down. */
  get isOffline(): boolean {
    return this.status === 0;
  }
}

export function isProblem(error: unknown): error is Problem {
  return error instanceof Problem;
}

/** Reads an answer that is not a success, also one that a proxy wrote instead of our server. */
export function problemFrom(response: Response, body: unknown): Problem {
  const seconds = Number(response.headers.get('Retry-After'));
  const retryAfter = Number.isFinite(seconds) && seconds > 0 ? seconds : null;
  if (typeof body === 'object' && body !== null && 'title' in body) {
    const document = body as ProblemDocument;
    return new Problem(
      { ...document, type: document.type ?? 'about:blank', status: response.status },
      retryAfter,
    );
  }
  return new Problem(
    { type: 'about:blank', title: response.statusText || `HTTP ${response.status}`, status: response.status },
    retryAfter,
  );
}

export function offlineProblem(cause: unknown): Problem {
  const problem = new Problem({ type: 'offline', title: 'offline', status: 0 });
  problem.cause = cause;
  return problem;
}
