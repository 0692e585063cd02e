/**
 * The OpenAPI document as types: what an operation takes and answers. `schema.gen.d.ts` is made of
 * openapi.json by `npm run api`, before each type check, and never edited.
 */
import type { components, paths } from './schema.gen';

export type Schema<Name extends keyof components['schemas']> = components['schemas'][Name];

export type Verb = 'get' | 'post' | 'patch' | 'delete';

/** The paths that are served for a method. */
export type PathOf<V extends Verb> = {
  [P in keyof paths]: paths[P][V] extends { responses: unknown } ? P : never;
}[keyof paths];

type Json<Content> = Content extends { content: { 'application/json': infer Body } } ? Body : undefined;

/** What an operation answers when it succeeds. */
export type Answer<V extends Verb, P extends PathOf<V>> = paths[P][V] extends { responses: infer All }
  ? { [Status in keyof All]: Status extends 200 | 201 | 204 ? Json<All[Status]> : never }[keyof All]
  : never;

type Body<O> = O extends { requestBody: { content: { 'application/json': infer B } } }
  ? { body: B }
  : unknown;

type InPath<O> = O extends { parameters: { path: infer P extends object } } ? { path: P } : unknown;

type InQuery<O> = O extends { parameters: { query?: infer Q } }
  ? [Q] extends [never]
    ? unknown
    : { query?: Q }
  : unknown;

/** What an operation asks for: the parts of its path, its query and its body, where it has them. */
export type Input<V extends Verb, P extends PathOf<V>> = Body<paths[P][V]> &
  InPath<paths[P][V]> &
  InQuery<paths[P][V]>;

/** Every collection of records: what may be written in bulk. */
export type Collection = PathOf<'post'> extends infer P ? (P extends `${infer C}/bulk` ? C : never) : never;

/**
 * The parts of a record that one page shows. The document lets any field be hidden from somebody; `Always`
 * are those whoever sees the record sees.
 */
export type Shown<T, Always extends keyof T, Maybe extends keyof T = never> = {
  [Name in Always]-?: NonNullable<T[Name]>;
} & { [Name in Maybe]?: T[Name] };
