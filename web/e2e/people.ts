/** Who uses the desk in these tests: accounts of the demo company, and how they come in. */
import { type APIRequestContext, type Browser, expect, type Page } from '@playwright/test';
import en from '../src/locales/en.json' with { type: 'json' };
import es from '../src/locales/es.json' with { type: 'json' };
import fr from '../src/locales/fr.json' with { type: 'json' };
import pt from '../src/locales/pt.json' with { type: 'json' };

export type Words = typeof en;

/** What the interface says, by the language of the browser. */
export const WORDS = {
  'en-GB': en,
  'fr-FR': fr as Words,
  'es-ES': es as Words,
  'pt-PT': pt as Words,
} satisfies Record<string, Words>;

export type Locale = keyof typeof WORDS;

export interface Person {
  email: string;
  password: string;
}

const DEMO = 'Demo-OpsFlux-2026';

export const ADMIN: Person = { email: 'admin@opsflux.test', password: 'Browser-Test-2026' };
export const MANAGER: Person = { email: 'sylvie.obame@ges-energie.example', password: DEMO };
export const TECHNICIAN: Person = { email: 'awa.ndong@ges-energie.example', password: DEMO };
export const REQUESTER: Person = { email: 'grace.koumba@ges-energie.example', password: DEMO };
export const OTHER_REQUESTER: Person = { email: 'craig.sutherland@ges-energie.example', password: DEMO };

/** Signs the browser in without its form, which has tests of its own. */
export async function signIn(page: Page, person: Person, path: string): Promise<void> {
  const answer = await page.request.post('/api/v1/auth/login', {
    headers: { 'X-Requested-With': 'opsflux' },
    data: person,
  });
  expect(answer.status(), person.email).toBe(200);
  await page.goto(path);
}

/** A window of another person, in a browser of his own. */
export async function windowOf(
  browser: Browser,
  person: Person,
  path: string,
  locale: Locale = 'en-GB',
): Promise<Page> {
  const context = await browser.newContext({ locale, viewport: { width: 1440, height: 900 } });
  const page = await context.newPage();
  await signIn(page, person, path);
  return page;
}

export interface Row {
  id: string;
  version: number;
  number: string;
  [field: string]: unknown;
}

/** The API beside the browser: what another program does, or what is really stored. */
export class Api {
  private constructor(
    private readonly request: APIRequestContext,
    private readonly token: string,
  ) {}

  static async as(request: APIRequestContext, person: Person): Promise<Api> {
    const answer = await request.post('/api/v1/auth/login', { data: person });
    expect(answer.status(), person.email).toBe(200);
    return new Api(request, (await answer.json()).access_token);
  }

  private async send(method: string, path: string, data?: unknown) {
    const answer = await this.request.fetch(`/api/v1${path}`, {
      method,
      data,
      headers: { Authorization: `Bearer ${this.token}` },
    });
    expect(answer.ok(), `${method} ${path}: ${answer.status()} ${await answer.text()}`).toBe(true);
    return answer;
  }

  async list(path: string): Promise<Row[]> {
    return (await (await this.send('GET', path)).json()).items;
  }

  async read(path: string): Promise<Row> {
    return (await this.send('GET', path)).json();
  }

  async create(collection: string, data: object): Promise<Row> {
    return (await this.send('POST', `/${collection}`, data)).json();
  }

  async change(collection: string, id: string, data: object): Promise<Row> {
    return (await this.send('PATCH', `/${collection}/${id}`, data)).json();
  }

  async post(path: string, data: object): Promise<void> {
    await this.send('POST', path, data);
  }
}
