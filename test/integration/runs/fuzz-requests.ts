/** Requests that are almost right, drawn from the routes' own schemas and from examples that are. */
import { type Route, readPathParameters } from '@headrace/api';
import fc from 'fast-check';
import { z } from 'zod';

export interface FuzzRequest {
  readonly routeName: string;
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
  /** The top-level field that differs from the example; null when several do, or the request as a whole. */
  readonly field: string | null;
}

export interface FuzzTarget {
  readonly routeName: string;
  readonly route: Route;
  readonly examples: readonly Json[];
}

export type Json = Record<string, unknown>;
type Schema = Readonly<Record<string, unknown>>;

const odd: readonly unknown[] = [
  null,
  '',
  ' ',
  'True',
  'False',
  'nonsense',
  '11',
  '-1',
  '1e3',
  '{{',
  '{{job.naem}}',
  '{{tasks.x.values.y}}',
  'a\0b',
  '\ud800',
  '../../etc/passwd',
  "'; drop table runs; --",
  '🚰'.repeat(50),
  'x'.repeat(70_000),
  true,
  false,
  0,
  -1,
  1.5,
  2 ** 31,
  2 ** 53,
  -(2 ** 63),
  1e308,
  [],
  {},
  [[]],
  [null],
  [{}],
  { a: { b: [1] } },
  { '': '' },
  { 'a\0': '1' },
  Array.from({ length: 3_000 }, (_, index) => index),
  Array.from({ length: 1_001 }, (_, index) => `t${index}`),
];

const oddValue: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...odd) },
  { weight: 1, arbitrary: fc.integer({ min: 20, max: 200 }).map(nested) },
  { weight: 2, arbitrary: fc.jsonValue({ maxDepth: 3 }) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 80 }) },
);

function nested(depth: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < depth; level++) value = level % 2 === 0 ? [value] : { a: value };
  return value;
}

/** Also what JSON.stringify would not write: halves of texts, comments, `__proto__`, numbers without an end. */
const brokenBodies = [
  '{',
  '{"job_id": }',
  '[]',
  '[1]',
  '"text"',
  '12',
  'null',
  '{"job_id": NaN}',
  '{"job_id": 1,}',
  '{"__proto__": {"job_id": 1}}',
  '{"job_id": 1e999}',
  `{"job_id": ${'9'.repeat(400)}}`,
  '['.repeat(5_000),
  `${'{"a":'.repeat(500)}1${'}'.repeat(500)}`,
  '\ufeff{}',
  'job_id=1&a=b',
  '--x\r\nContent-Disposition: form-data; name="job_id"\r\n\r\n1\r\n--x--\r\n',
];

const contentTypes = [
  'application/json; charset=utf-16',
  'text/plain',
  'application/x-www-form-urlencoded',
  'multipart/form-data',
  'multipart/form-data; boundary=x',
  'application/octet-stream',
  'nonsense',
];

export function fuzzRequests(targets: readonly FuzzTarget[]): fc.Arbitrary<FuzzRequest> {
  return fc.oneof(...targets.map(requestsOf));
}

function requestsOf(target: FuzzTarget): fc.Arbitrary<FuzzRequest> {
  const schema = z.toJSONSchema(target.route.request, { io: 'input', unrepresentable: 'any' }) as Schema;
  const example = fc.constantFrom(...target.examples);
  const properties = Object.entries((schema.properties ?? {}) as Record<string, Schema>);
  const definitions = (schema.$defs ?? {}) as Record<string, Schema>;
  // The most of it: one field of a sound request is not as it should be.
  const oneFieldDrawn = fc
    .tuple(example, fc.constantFrom(...properties))
    .chain(([request, [field, ofField]]) =>
      drawnFrom(ofField, definitions, 0).map((value) => ({ request: { ...request, [field]: value }, field })),
    );
  const oneSpotChanged = fc
    .tuple(example, fc.nat(), oddValue, fc.boolean())
    .map(([request, spot, value, isRemoved]) => changeSpot(request, { spot, value, isRemoved }));
  const severalDrawn = fc
    .tuple(
      example,
      fc.uniqueArray(fc.constantFrom(...properties), { maxLength: 5, selector: ([name]) => name }),
    )
    .chain(([request, fields]) =>
      fc.tuple(...fields.map(([, ofField]) => drawnFrom(ofField, definitions, 0))).map((values) => ({
        request: { ...request, ...Object.fromEntries(fields.map(([name], at) => [name, values[at]])) },
        field: null,
      })),
    );
  const sound = fc.oneof(
    { weight: 4, arbitrary: oneFieldDrawn },
    { weight: 5, arbitrary: oneSpotChanged },
    { weight: 2, arbitrary: severalDrawn },
  );
  return fc.oneof(
    { weight: 15, arbitrary: sound.map((drawn) => place(target, drawn.request, drawn.field)) },
    { weight: 1, arbitrary: sound.chain(({ request }) => withBrokenForm(place(target, request, null))) },
  );
}

/** A value of this shape; now and then one of another. */
function drawnFrom(
  schema: Schema,
  definitions: Readonly<Record<string, Schema>>,
  depth: number,
): fc.Arbitrary<unknown> {
  if (depth > 4) return oddValue;
  return fc.oneof(
    { weight: 3, arbitrary: shaped(schema, definitions, depth) },
    { weight: depth === 0 ? 2 : 1, arbitrary: oddValue },
  );
}

function shaped(
  schema: Schema,
  definitions: Readonly<Record<string, Schema>>,
  depth: number,
): fc.Arbitrary<unknown> {
  const inner = (part: unknown) => drawnFrom((part ?? {}) as Schema, definitions, depth + 1);
  if (typeof schema.$ref === 'string') {
    return inner(definitions[schema.$ref.replace('#/$defs/', '')]);
  }
  if (Array.isArray(schema.enum)) return fc.constantFrom(...schema.enum, 'UNKNOWN_VALUE');
  if (Array.isArray(schema.anyOf)) return fc.oneof(...schema.anyOf.map(inner));
  switch (schema.type) {
    case 'object':
      return objectOf(schema, inner);
    case 'array':
      return fc.array(inner(schema.items), { maxLength: 3 });
    case 'string':
      return fc.oneof(fc.constantFrom('a', 'load', 'a'.repeat(101), '+load+'), fc.string({ maxLength: 12 }));
    case 'integer':
    case 'number':
      return fc.oneof(fc.integer(), fc.integer({ min: 0, max: 50 }).map(String));
    case 'boolean':
      return fc.constantFrom(true, false, 'True', 'False');
    default:
      return fc.oneof(fc.integer({ min: -1, max: 5 }), fc.boolean(), oddValue);
  }
}

function objectOf(schema: Schema, inner: (part: unknown) => fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  const properties = Object.entries((schema.properties ?? {}) as Record<string, Schema>);
  if (properties.length === 0)
    return fc.dictionary(fc.string({ maxLength: 8 }), inner(schema.additionalProperties), { maxKeys: 3 });
  return fc
    .uniqueArray(fc.constantFrom(...properties), { maxLength: 4, selector: ([name]) => name })
    .chain((chosen) =>
      fc
        .tuple(...chosen.map(([, part]) => inner(part)))
        .map((values) => Object.fromEntries(chosen.map(([name], at) => [name, values[at]]))),
    );
}

/** One value anywhere in the document is replaced or taken away. */
function changeSpot(
  example: Json,
  change: { spot: number; value: unknown; isRemoved: boolean },
): { request: Json; field: string } {
  const request = structuredClone(example);
  const spots: { holder: Json | unknown[]; key: string; field: string }[] = [];
  const visit = (holder: object, field: string | null) => {
    for (const [key, value] of Object.entries(holder)) {
      spots.push({ holder: holder as Json, key, field: field ?? key });
      if (typeof value === 'object' && value !== null) visit(value, field ?? key);
    }
  };
  visit(request, null);
  const spot = spots[change.spot % spots.length];
  if (!spot) return { request, field: '' };
  if (change.isRemoved && !Array.isArray(spot.holder)) delete spot.holder[spot.key];
  else Object.assign(spot.holder, { [spot.key]: change.value });
  return { request, field: spot.field };
}

function place({ routeName, route }: FuzzTarget, request: Json, field: string | null): FuzzRequest {
  const rest = { ...request };
  let path = route.path;
  for (const { name } of readPathParameters(route.path)) {
    path = path.replace(`{${name}}`, encodeURIComponent(toText(rest[name])));
    delete rest[name];
  }
  const { method } = route;
  if (method !== 'GET') {
    const headers = { 'content-type': 'application/json' };
    return { routeName, method, url: path, headers, body: JSON.stringify(rest), field };
  }
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(rest)) {
    for (const each of Array.isArray(value) ? value.slice(0, 3) : [value]) query.append(name, toText(each));
  }
  return { routeName, method, url: `${path}?${query}`, headers: {}, body: undefined, field };
}

/** Short enough for a URL, and half of a surrogate pair cannot stand in one. */
function toText(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
  return text.slice(0, 3_000).toWellFormed();
}

function withBrokenForm(request: FuzzRequest): fc.Arbitrary<FuzzRequest> {
  if (request.method === 'GET') {
    return fc
      .constantFrom('%', '%zz', '&&&=', 'run_id=1&run_id=2', 'limit=True', 'active_only=True', '[a]=1')
      .map((text) => ({ ...request, url: `${request.url}&${text}` }));
  }
  return fc.oneof(
    fc.constantFrom(...brokenBodies).map((body) => ({ ...request, body })),
    fc
      .constantFrom(...contentTypes)
      .map((contentType) => ({ ...request, headers: { 'content-type': contentType } })),
    fc.nat({ max: 200 }).map((length) => ({ ...request, body: request.body?.slice(0, length) })),
  );
}
