// A plan in the words that people read: one line for a resource, one for each of its fields.

import type { DocumentPath } from './document-path.ts';
import { kindOf } from './kinds/kinds.ts';
import { maskSecrets } from './mask-secrets.ts';
import type { Action, Plan, PlannedAction, PlannedDifference } from './planned-action.ts';

export type PlanTone = 'good' | 'bad' | 'quiet' | 'plain';

export interface PlanFormat {
  /** Colours a text, or leaves it. */
  readonly paint: (text: string, tone: PlanTone) => string;
}

const SIGNS: Readonly<Record<Action, { sign: string; tone: PlanTone }>> = {
  create: { sign: '+', tone: 'good' },
  update: { sign: '~', tone: 'plain' },
  recreate: { sign: '-/+', tone: 'bad' },
  delete: { sign: '-', tone: 'bad' },
  unchanged: { sign: '=', tone: 'quiet' },
};
/** A longer list of fields is cut; `-o json` has them all. */
const FIELDS_SHOWN = 40;
const CHARS_SHOWN = 60;
const CHARS_BEFORE_DIFFERENCE = 12;

export function formatPlan(plan: Plan, { paint }: PlanFormat): string {
  const lines = plan.actions.flatMap((action) => formatAction(action, paint));
  lines.push(...formatFiles(plan, paint));
  if (!plan.hasChanges) lines.push('nothing to do: what is deployed is what the bundle says');
  else lines.push('', summarize(plan));
  return lines.join('\n');
}

function formatAction(action: PlannedAction, paint: PlanFormat['paint']): string[] {
  const { differences, adopted } = action;
  if (action.action === 'unchanged' && adopted.length === 0) return [];
  const { sign, tone } = SIGNS[action.action];
  const id = action.id === null || action.id === action.name ? '' : `, id ${action.id}`;
  const head = `${sign} ${action.action} ${action.resource} "${action.name}"${id}`;
  const shown = differences.slice(0, FIELDS_SHOWN);
  const hidden = differences.length - shown.length;
  return [
    paint(head, tone),
    ...formatNotes(action).map((note) => paint(`    ${note}`, 'bad')),
    ...shown.map((difference) => formatDifference(difference, paint)),
    ...(hidden > 0 ? [`    and ${hidden} more fields`] : []),
    ...adopted.map(({ path, steps, file, kept }) => {
      const cure =
        kept === undefined
          ? `take ${show(file, steps)} out of the file`
          : `write it in the file${file === undefined ? '' : ` in place of ${show(file, steps)}`}`;
      return `    = ${path}: ${show(kept, steps)} was set by hand and stays; to keep it for good, ${cure}`;
    }),
  ];
}

function formatNotes({ action, kind, isLost, differences }: PlannedAction): string[] {
  const { loss } = kindOf(kind);
  const byHand = differences.filter(({ origin }) => origin === 'hand').map(({ path }) => path);
  const cause = differences.filter(({ recreates }) => recreates).map(({ path }) => path);
  return [
    ...(isLost === true ? ['somebody deleted it by hand since the last deployment'] : []),
    ...(action === 'recreate' ? [`${cause.join(', ')} cannot be changed in place`] : []),
    ...((action === 'recreate' || action === 'delete') && loss !== null ? [`lost with it: ${loss}`] : []),
    ...(byHand.length > 0
      ? [`somebody changed ${byHand.join(', ')} by hand since the last deployment; this puts it back`]
      : []),
  ];
}

function formatDifference(difference: PlannedDifference, paint: PlanFormat['paint']): string {
  const { path, steps, before, after } = difference;
  if (before === undefined) return paint(`    + ${path}: ${show(after, steps)}`, 'good');
  if (after === undefined) return paint(`    - ${path}: ${show(before, steps)}`, 'bad');
  const [from, to] = showBoth(toText(before, steps), toText(after, steps));
  return `    ~ ${path}: ${from} → ${to}`;
}

/** Long values that begin alike are shown from where they differ. */
function showBoth(before: string, after: string): [string, string] {
  let alike = 0;
  while (alike < before.length && before[alike] === after[alike]) alike += 1;
  const hidden = alike - CHARS_BEFORE_DIFFERENCE;
  const isCut = hidden > 0 && Math.max(before.length, after.length) > CHARS_SHOWN;
  const show = (text: string) => shorten(isCut ? `…${text.slice(hidden)}` : text);
  return [show(before), show(after)];
}

function show(value: unknown, steps: DocumentPath): string {
  return shorten(toText(value, steps));
}

function toText(value: unknown, steps: DocumentPath): string {
  return value === undefined ? 'nothing' : JSON.stringify(maskSecrets(value, String(steps.at(-1))));
}

function shorten(text: string): string {
  return text.length > CHARS_SHOWN ? `${text.slice(0, CHARS_SHOWN - 1)}…` : text;
}

function formatFiles({ upload, remove }: Plan, paint: PlanFormat['paint']): string[] {
  const lines: string[] = [];
  if (upload.libraries.length > 0)
    lines.push(paint(`+ upload ${countOf(upload.libraries.length, 'library', 'libraries')}`, 'good'));
  if (upload.files.length > 0)
    lines.push(paint(`+ upload ${countOf(upload.files.length, 'file', 'files')}`, 'good'));
  if (remove.length > 0) lines.push(paint(`- remove ${countOf(remove.length, 'file', 'files')}`, 'bad'));
  return lines;
}

function countOf(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** `Plan: 1 to create, 2 to update, 3 unchanged` */
function summarize({ actions }: Plan): string {
  const counts = (['create', 'update', 'recreate', 'delete'] as const).flatMap((kind) => {
    const count = actions.filter(({ action }) => action === kind).length;
    return count === 0 ? [] : [`${count} to ${kind}`];
  });
  const unchanged = actions.filter(({ action }) => action === 'unchanged').length;
  if (unchanged > 0) counts.push(`${unchanged} unchanged`);
  return counts.length === 0 ? 'plan: no resource changes' : `plan: ${counts.join(', ')}`;
}

/** What a person must agree to before it is done; null: nothing is lost. */
export function describeLosses({ actions }: Plan): string | null {
  const lost = actions.filter(({ action }) => action === 'delete' || action === 'recreate');
  if (lost.length === 0) return null;
  const named = lost.map(({ action, kind, name }) => {
    const { noun, loss } = kindOf(kind);
    const verb = action === 'delete' ? 'deletes' : 'deletes and makes anew';
    return `${verb} the ${noun} "${name}"${loss === null ? '' : ` and ${loss}`}`;
  });
  return `This ${named.join(', ')}.`;
}

/** Changes by hand that a plan has found, by resource. */
export function findDrift({ actions }: Plan): { resource: string; paths: string[] }[] {
  return actions.flatMap(({ resource, isLost, differences }) => {
    const paths = differences.filter(({ origin }) => origin === 'hand').map(({ path }) => path);
    return isLost === true || paths.length > 0 ? [{ resource, paths }] : [];
  });
}
