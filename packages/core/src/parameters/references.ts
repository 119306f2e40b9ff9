/**
 * Dynamic value references: `{{job.parameters.day}}` and its kin, replaced by text when an attempt starts.
 * No expressions. Names that Headrace does not know stay as they are written; a wrong member of a known namespace
 * is refused when the job is saved (`findReferenceProblems`).
 */
import type { JsonValue } from '../run/state.ts';
import { quoteText } from './quote-text.ts';
import { findWrongMember, type ReferencePath, referencePattern, splitPath } from './reference-paths.ts';
import { formatTime } from './time.ts';

export interface ReferenceScope {
  readonly job: {
    readonly id: number | null;
    readonly name: string;
    readonly runId: number;
    readonly repairCount: number;
    readonly startTimeMs: number;
    readonly parameters: Readonly<Record<string, string>>;
    readonly trigger: {
      readonly type: string;
      /** Of a schedule: when it was due, to the minute. */
      readonly timeMs: number;
      readonly fileArrival?: { readonly location: string };
      readonly tableUpdate?: { readonly updatedTables: JsonValue };
    };
  };
  readonly task: {
    readonly name: string;
    readonly runId: number;
    /** Retries and repairs included; 1 for the first. */
    readonly executionCount: number;
    readonly retryCount: number;
    readonly notebookPath: string | null;
  };
  readonly tasks: { get(key: string): ReferencedTask | undefined };
  readonly workspace: { readonly id: string; readonly url: string };
  /** Of an iteration of a for-each. */
  readonly input?: JsonValue;
  /** Of a run that makes up for an earlier time. */
  readonly backfill?: { readonly timeMs: number };
}

export interface ReferencedTask {
  readonly runId: number;
  /** Lower case: success, failed, excluded …; null while it has not ended. */
  readonly resultState: string | null;
  readonly executionCount: number;
  readonly errorCode: string | null;
  readonly values: Readonly<Record<string, JsonValue>>;
  /** Of a SQL or alert task that has ended. */
  readonly output?: TaskOutput;
}

export interface TaskOutput {
  /** In the order of the result, by the names of its columns. */
  readonly rows?: readonly Readonly<Record<string, JsonValue>>[];
  readonly alertState?: string;
}

/** One pass: what a reference gives is not resolved again, so a parameter's value cannot reach for others. */
export function resolveReferences(text: string, scope: ReferenceScope): string {
  return text.replace(referencePattern, (whole, inner: string) => {
    const value = lookUp(splitPath(inner), scope);
    return value === undefined ? whole : asText(value);
  });
}

/** One sentence for each reference that names a known namespace and a member that it does not have. */
export function findReferenceProblems(text: string): string[] {
  return [...text.matchAll(referencePattern)].flatMap(([whole, inner = '']) => {
    const wrong = findWrongMember(splitPath(inner));
    if (wrong === null) return [];
    return [`${quoteText(whole)} is not a known reference: after '${wrong.owner}' comes ${wrong.expected}`];
  });
}

/** `undefined` for what does not exist: the reference then stays as it is written. */
function lookUp(path: ReferencePath, scope: ReferenceScope): JsonValue | undefined {
  if (findWrongMember(path) !== null) return undefined;
  const [first, ...rest] = path;
  switch (first) {
    case 'job':
      return lookUpJob(rest, scope);
    case 'task':
      return lookUpTask(rest, scope);
    case 'tasks':
      return lookUpTasks(rest, scope);
    case 'workspace':
      return rest[0] === 'id' || rest[0] === 'url' ? scope.workspace[rest[0]] : undefined;
    case 'input':
      return lookUpWithin(scope.input, rest);
    case 'backfill':
      return scope.backfill && rest[0] !== undefined ? formatTime(scope.backfill.timeMs, rest[0]) : undefined;
    default:
      // In the oldest forms spaces inside the braces prevent replacement on hosted workspaces; here they are allowed.
      return rest.length === 0 ? lookUpOldName(first, scope) : undefined;
  }
}

function lookUpJob([member, ...rest]: readonly string[], { job }: ReferenceScope): JsonValue | undefined {
  switch (member) {
    case 'id':
      return job.id ?? undefined;
    case 'name':
      return job.name;
    case 'run_id':
      return job.runId;
    case 'repair_count':
      return job.repairCount;
    case 'start_time':
      return formatTime(job.startTimeMs, rest[0] ?? 'iso_datetime');
    case 'parameters':
      return rest[0] === undefined ? undefined : own(job.parameters, rest[0]);
    case 'trigger':
      return lookUpTrigger(rest, job.trigger);
    default:
      return undefined;
  }
}

function lookUpTrigger(
  [member, argument]: readonly string[],
  trigger: ReferenceScope['job']['trigger'],
): JsonValue | undefined {
  switch (member) {
    case 'type':
      return trigger.type;
    case 'time':
      return formatTime(trigger.timeMs, argument ?? 'iso_datetime');
    case 'file_arrival':
      return trigger.fileArrival?.location;
    case 'table_update':
      return trigger.tableUpdate?.updatedTables;
    default:
      return undefined;
  }
}

function lookUpTask([member]: readonly string[], { task }: ReferenceScope): JsonValue | undefined {
  switch (member) {
    case 'name':
      return task.name;
    case 'run_id':
      return task.runId;
    case 'execution_count':
      return task.executionCount;
    case 'notebook_path':
      return task.notebookPath ?? undefined;
    default:
      return undefined;
  }
}

function lookUpTasks(
  [key = '', member, name, column]: readonly string[],
  scope: ReferenceScope,
): JsonValue | undefined {
  const task = scope.tasks.get(key);
  if (!task) return undefined;
  switch (member) {
    case 'run_id':
      return task.runId;
    case 'result_state':
      return task.resultState ?? undefined;
    case 'execution_count':
      return task.executionCount;
    case 'error_code':
      return task.errorCode ?? undefined;
    case 'values':
      return name === undefined ? undefined : own(task.values, name);
    case 'output':
      return task.output && lookUpOutput([name, column], task.output);
    default:
      return undefined;
  }
}

function lookUpOutput(
  [member, column]: readonly (string | undefined)[],
  output: TaskOutput,
): JsonValue | undefined {
  switch (member) {
    case 'rows':
      return output.rows;
    case 'first_row':
      return column === undefined ? undefined : lookUpWithin(output.rows?.[0], [column]);
    case 'alert_state':
      return output.alertState;
    default:
      return undefined;
  }
}

function lookUpOldName(name: string, { job, task }: ReferenceScope): JsonValue | undefined {
  switch (name) {
    case 'job_id':
      return job.id ?? undefined;
    case 'run_id':
      return task.runId;
    case 'start_date':
      return formatTime(job.startTimeMs, 'iso_date');
    case 'start_time':
      return job.startTimeMs;
    case 'task_retry_count':
      return task.retryCount;
    case 'parent_run_id':
      return job.runId;
    case 'task_key':
      return task.name;
    default:
      return undefined;
  }
}

/** A part of a value, by the names of fields and the positions in lists. */
function lookUpWithin(value: JsonValue | undefined, path: readonly string[]): JsonValue | undefined {
  let part = value;
  for (const name of path) {
    if (typeof part !== 'object' || part === null) return undefined;
    // A list's own `length` is no part of it.
    if (Array.isArray(part) && !/^\d+$/.test(name)) return undefined;
    part = own(part as Readonly<Record<string, JsonValue>>, name); // Lists have their positions as own names.
  }
  return part;
}

function own<Value>(record: Readonly<Record<string, Value>>, key: string): Value | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}

function asText(value: JsonValue): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
