// Functions that template actions may call: those of Go's text/template, and those that project templates know.

import { randomInt, randomUUID } from 'node:crypto';
import type { Position } from '../problem.ts';
import { patternCharsMax } from './template-pattern.ts';
import { failAt } from './template-syntax.ts';

export type TemplateValue =
  | string
  | number
  | boolean
  | null
  | RegExp
  | readonly TemplateValue[]
  | { readonly [name: string]: TemplateValue };

export interface TemplateFacts {
  readonly workspaceHost: string;
  readonly userName: string;
  readonly isServicePrincipal: boolean;
  readonly defaultCatalog: string;
  /** The same in all files of one project. */
  readonly bundleUuid: string;
}

export interface TemplateContext {
  readonly facts: TemplateFacts;
  /** Told each pattern of `skip`. */
  readonly onSkip: (pattern: string) => void;
}

interface Call extends TemplateContext {
  readonly at: Position;
}

type TemplateFunction = (values: readonly TemplateValue[], call: Call) => TemplateValue;

const functions: Readonly<Record<string, TemplateFunction>> = {
  eq: ([first, ...others]) => others.some((other) => other === first),
  ne: ([first, second]) => first !== second,
  lt: ([first, second], { at }) => compare(first, second, at) < 0,
  le: ([first, second], { at }) => compare(first, second, at) <= 0,
  gt: ([first, second], { at }) => compare(first, second, at) > 0,
  ge: ([first, second], { at }) => compare(first, second, at) >= 0,
  and: (values) => values.find((value) => !isTrue(value)) ?? values.at(-1) ?? null,
  or: (values) => values.find(isTrue) ?? values.at(-1) ?? null,
  not: ([value]) => !isTrue(value ?? null),
  len: ([value], { at }) => {
    if (typeof value === 'string' || Array.isArray(value)) return value.length;
    if (typeof value === 'object' && value !== null) return Object.keys(value).length;
    throw failAt(at, 'len needs a text, a list or a map');
  },
  index: ([value, ...keys], { at }) =>
    keys.reduce<TemplateValue>((all, key) => pick(all, key, at), value ?? null),
  print: (values) => values.map(String).join(''),
  printf: ([format, ...values], { at }) => formatText(String(format), values, at),
  lower: ([value]) => String(value).toLowerCase(),
  upper: ([value]) => String(value).toUpperCase(),
  pair: ([key, value]) => ({ key: key ?? null, value: value ?? null }),
  map: (pairs, { at }) =>
    Object.fromEntries(pairs.map((pair) => [String(pick(pair, 'key', at)), pick(pair, 'value', at)])),
  regexp: ([source], { at }) => {
    if (String(source).length > patternCharsMax)
      throw failAt(at, `a regular expression has at most ${patternCharsMax} characters`);
    try {
      return new RegExp(String(source), 'u');
    } catch (error) {
      throw failAt(at, `${String(source)} is no regular expression: ${String(error)}`);
    }
  },
  uuid: () => randomUUID(),
  bundle_uuid: (_values, { facts }) => facts.bundleUuid,
  random_int: ([max], { at }) => {
    if (typeof max !== 'number' || !Number.isInteger(max) || max < 1)
      throw failAt(at, 'random_int needs a number from 1');
    return randomInt(max);
  },
  path_separator: () => '/',
  smallest_node_type: () => 'i3.xlarge',
  workspace_host: (_values, { facts }) => facts.workspaceHost,
  user_name: (_values, { facts }) => facts.userName,
  short_name: (_values, { facts }) =>
    (facts.userName.split('@')[0] ?? '').replaceAll(/[^\p{L}\p{N}]+/gu, '_'),
  default_catalog: (_values, { facts }) => facts.defaultCatalog,
  is_service_principal: (_values, { facts }) => facts.isServicePrincipal,
  skip: ([pattern], { onSkip }) => {
    onSkip(String(pattern));
    return '';
  },
  fail: ([format, ...values], { at }) => {
    throw failAt(at, formatText(String(format), values, at));
  },
};

export function callTemplateFunction(
  name: string,
  values: readonly TemplateValue[],
  call: Call,
): TemplateValue {
  const found = Object.hasOwn(functions, name) ? functions[name] : undefined;
  if (found === undefined)
    throw failAt(call.at, `there is no function '${name}'; there are ${Object.keys(functions).join(', ')}`);
  return found(values, call);
}

export function isFields(
  value: TemplateValue | undefined,
): value is { readonly [name: string]: TemplateValue } {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof RegExp);
}

/** As Go has it: zero, nothing and what is empty are false. */
export function isTrue(value: TemplateValue): boolean {
  if (value === null || value === false || value === 0 || value === '') return false;
  if (Array.isArray(value)) return value.length > 0;
  if (isFields(value)) return Object.keys(value).length > 0;
  return true;
}

function compare(first: TemplateValue | undefined, second: TemplateValue | undefined, at: Position): number {
  if (typeof first === 'number' && typeof second === 'number') return first - second;
  if (typeof first === 'string' && typeof second === 'string')
    return first < second ? -1 : Number(first > second);
  throw failAt(at, 'only two numbers or two texts can be compared');
}

function pick(value: TemplateValue, key: TemplateValue, at: Position): TemplateValue {
  if (Array.isArray(value) && typeof key === 'number' && key in value) return value[key] ?? null;
  if (isFields(value) && Object.hasOwn(value, String(key))) return value[String(key)] ?? null;
  throw failAt(at, `there is no element ${String(key)}`);
}

function formatText(format: string, values: readonly TemplateValue[], at: Position): string {
  let next = 0;
  return format.replaceAll(/%(.)/g, (_match, verb: string) => {
    if (verb === '%') return '%';
    if (!'svdq'.includes(verb)) throw failAt(at, `%${verb} is not known; there are %s, %v, %d and %q`);
    if (next >= values.length) throw failAt(at, `"${format}" needs more values`);
    const value = String(values[next++] ?? '');
    return verb === 'q' ? JSON.stringify(value) : value;
  });
}
