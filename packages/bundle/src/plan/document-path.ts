// Where a value stands in a document: keys, positions in lists, and in lists with identities the element that is meant.

import { z } from 'zod';

/**
 * A key; a position; or `['task_key', 'ingest']`, the element of a list with that value in that field. `['', 'x']` is
 * the text itself in a list whose order means nothing.
 */
const Step = z.union([z.string(), z.int(), z.tuple([z.string(), z.string()])]);
export type Step = z.output<typeof Step>;
export const DocumentPath = z.array(Step);
export type DocumentPath = readonly Step[];

/** `tasks[ingest].new_cluster.num_workers` */
export function formatPath(path: DocumentPath): string {
  return path.reduce<string>((text, step) => {
    if (typeof step === 'string') return text === '' ? step : `${text}.${step}`;
    return `${text}[${typeof step === 'number' ? step : step[1]}]`;
  }, '');
}

export function readAt(document: unknown, path: DocumentPath): unknown {
  return path.reduce<unknown>((value, step) => {
    if (Array.isArray(value)) return value[positionIn(value, step)];
    return isFields(value) && typeof step === 'string' ? value[step] : undefined;
  }, document);
}

/** A copy with the value at the path replaced; `undefined` takes it out. */
export function writeAt(document: unknown, path: DocumentPath, value: unknown): unknown {
  const [step, ...rest] = path;
  if (step === undefined) return value;
  if (typeof step === 'string') {
    const fields = isFields(document) ? document : {};
    const { [step]: before, ...others } = fields;
    const after = writeAt(before, rest, value);
    if (after === undefined) return others;
    return Object.hasOwn(fields, step) ? { ...fields, [step]: after } : { ...others, [step]: after };
  }
  const list = Array.isArray(document) ? document : [];
  const position = positionIn(list, step);
  const after = writeAt(list[position], rest, value);
  if (position in list) {
    return after === undefined ? list.toSpliced(position, 1) : list.with(position, after);
  }
  return after === undefined ? list : [...list, after];
}

/** -1: no element is meant. */
function positionIn(list: readonly unknown[], step: Step): number {
  if (typeof step === 'number') return step < list.length ? step : -1;
  if (typeof step === 'string') return -1;
  const [field, key] = step;
  return list.findIndex((element) =>
    field === '' ? element === key : isFields(element) && element[field] === key,
  );
}

export function isFields(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
