/** What may stand between the braces, and which paths lead to something. */
import { timeArgumentNames } from './time.ts';

/** `['tasks', 'load', 'values', 'rows']`; never empty. */
export type ReferencePath = readonly [string, ...string[]];

/**
 * `{{ a.b.`c d` }}`: names of letters, digits, `_` and `-`, others in backticks. All else, broken braces included,
 * is no reference and stays as it is written. The limits keep the time linear in the length of the text.
 */
const name = '(?:[\\p{L}\\p{M}\\p{N}_-]+|`[^`]{1,255}`)';
export const referencePattern = new RegExp(
  `\\{\\{\\s{0,20}(${name}(?:\\.${name}){0,20})\\s{0,20}\\}\\}`,
  'gu',
);

/** Of what `referencePattern` captured. */
export function splitPath(inner: string): ReferencePath {
  const [first = '', ...rest] = [...inner.matchAll(/`([^`]+)`|[^.`]+/g)].map((match) => match[1] ?? match[0]);
  return [first, ...rest];
}

/** Whether the text holds a reference to anything at all, known or not. */
export function hasReference(text: string): boolean {
  return text.search(referencePattern) !== -1;
}

/** What a known namespace offers in place of a member that it does not have; null when nothing is wrong. */
export function findWrongMember([namespace, ...members]: ReferencePath): WrongMember | null {
  // A namespace by itself is like any unknown name: it stays as it is written.
  if (members.length === 0) return null;
  switch (namespace) {
    case 'job':
      return checkJob(members);
    case 'task':
      return checkMember(namespace, members, ['name', 'run_id', 'execution_count', 'notebook_path']);
    case 'tasks':
      return checkTasks(members);
    case 'workspace':
      return checkMember(namespace, members, ['id', 'url']);
    case 'backfill':
      return checkMember(namespace, members, timeArgumentNames);
    default:
      return null;
  }
}

export interface WrongMember {
  readonly owner: string;
  readonly expected: string;
}

const jobMembers = ['id', 'name', 'run_id', 'repair_count'];
const jobOwners = ['start_time', 'parameters', 'trigger'];

function checkJob([member = '', ...rest]: readonly string[]): WrongMember | null {
  switch (member) {
    case 'parameters':
      return rest.length === 1 ? null : { owner: 'job.parameters', expected: 'the name of one parameter' };
    case 'start_time':
      return rest.length === 0 ? null : checkMember('job.start_time', rest, timeArgumentNames);
    case 'trigger':
      return checkTrigger(rest);
    default:
      if (jobMembers.includes(member)) return checkMember('job', [member, ...rest], jobMembers);
      return { owner: 'job', expected: listWords([...jobMembers, ...jobOwners]) };
  }
}

function checkTrigger([member = '', ...rest]: readonly string[]): WrongMember | null {
  switch (member) {
    case 'time':
      return rest.length === 0 ? null : checkMember('job.trigger.time', rest, timeArgumentNames);
    case 'file_arrival':
      return checkMember('job.trigger.file_arrival', rest, ['location']);
    case 'table_update':
      return checkMember('job.trigger.table_update', rest, ['updated_tables']);
    case 'type':
      return checkMember('job.trigger', [member, ...rest], ['type']);
    default:
      return { owner: 'job.trigger', expected: listWords(['type', 'time', 'file_arrival', 'table_update']) };
  }
}

const tasksMembers = ['run_id', 'result_state', 'execution_count', 'error_code'];

function checkTasks([key = '', member = '', ...rest]: readonly string[]): WrongMember | null {
  const owner = `tasks.${key}`;
  switch (member) {
    case 'values':
      return rest.length === 1 ? null : { owner: `${owner}.values`, expected: 'the name of one value' };
    case 'output':
      return checkOutput(`${owner}.output`, rest);
    default:
      if (tasksMembers.includes(member)) return checkMember(owner, [member, ...rest], tasksMembers);
      return { owner, expected: listWords([...tasksMembers, 'values', 'output']) };
  }
}

function checkOutput(owner: string, [member = '', ...rest]: readonly string[]): WrongMember | null {
  if (member !== 'first_row') {
    if (member === 'rows' || member === 'alert_state') return checkMember(owner, [member, ...rest], [member]);
    return { owner, expected: listWords(['first_row', 'rows', 'alert_state']) };
  }
  return rest.length === 1 ? null : { owner: `${owner}.first_row`, expected: 'the name of one column' };
}

function checkMember(
  owner: string,
  [member = '', ...rest]: readonly string[],
  known: readonly string[],
): WrongMember | null {
  if (!known.includes(member)) return { owner, expected: listWords(known) };
  return rest.length === 0 ? null : { owner: `${owner}.${member}`, expected: 'nothing further' };
}

/** `a, b or c`. */
function listWords(words: readonly string[]): string {
  const last = words.at(-1) ?? '';
  return words.length < 2 ? last : `${words.slice(0, -1).join(', ')} or ${last}`;
}
