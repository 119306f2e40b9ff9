/**
 * Dynamic value references: `{{job.parameters.day}}` and its kin, replaced by text when an attempt starts.
 * No expressions. Names that Headrace does not know stay as they are written; a wrong member of a known namespace
 * is refused when the job is saved (`findReferenceProblems`).
 */
import type { JsonValue } from '../run/state.ts';
import { formatTime, isTimeArgument } from './time.ts';

export interface ReferenceScope {
  readonly job: {
    readonly id: number | null;
    readonly name: string;
    readonly runId: number;
    readonly repairCount: number;
    readonly startTimeMs: number;
    readonly parameters: Readonly<Record<string, string>>;
    readonly trigger: { readonly type: string; readonly timeMs: number };
  };
  readonly task: {
    readonly name: string;
    readonly runId: number;
    /** Retries and repairs included; 1 for the first. */
    readonly executionCount: number;
    readonly retryCount: number;
    readonly notebookPath: string | null;
  };
  readonly tasks: ReadonlyMap<string, ReferencedTask>;
  readonly workspace: { readonly id: string; readonly url: string };
}

export interface ReferencedTask {
  readonly runId: number;
  /** Lower case: success, failed, excluded …; null while it has not ended. */
  readonly resultState: string | null;
  readonly executionCount: number;
  readonly errorCode: string | null;
  readonly values: Readonly<Record<string, JsonValue>>;
}

/** `{{ … }}` without braces inside; broken braces stay literal. */
const referencePattern = /\{\{([^{}]*)\}\}/g;

export function resolveReferences(text: string, scope: ReferenceScope): string {
  return text.replace(referencePattern, (whole, inner: string) => {
    const value = lookUp(inner, scope);
    return value === undefined ? whole : asText(value);
  });
}

/** One sentence for each reference that names a known namespace and a member that it does not have. */
export function findReferenceProblems(text: string): string[] {
  return [...text.matchAll(referencePattern)].flatMap(([whole, inner = '']) => {
    const path = splitPath(inner.trim());
    if (path === null || isKnownPath(path)) return [];
    return [`'${whole}' is not a known reference: '${path[0]}' has no such member`];
  });
}

function lookUp(inner: string, scope: ReferenceScope): JsonValue | undefined {
  // In the oldest forms spaces inside the braces prevent replacement on hosted workspaces; here they are allowed.
  const path = splitPath(inner.trim());
  if (path === null) return undefined;
  const [first, ...rest] = path;
  switch (first) {
    case 'job':
      return lookUpJob(rest, scope);
    case 'task':
      return lookUpTask(rest, scope);
    case 'tasks':
      return lookUpTasks(rest, scope);
    case 'workspace':
      return rest.length === 1 && (rest[0] === 'id' || rest[0] === 'url')
        ? scope.workspace[rest[0]]
        : undefined;
    default:
      return rest.length === 0 && first !== undefined ? lookUpOldName(first, scope) : undefined;
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
      if (rest[0] === 'type') return job.trigger.type;
      return rest[0] === 'time' ? formatTime(job.trigger.timeMs, rest[1] ?? 'iso_datetime') : undefined;
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
  [key = '', member, name]: readonly string[],
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

function isKnownPath([first, member = '', ...rest]: readonly string[]): boolean {
  switch (first) {
    case 'job':
      return isKnownJobPath(member, rest);
    case 'task':
      return ['name', 'run_id', 'execution_count', 'notebook_path'].includes(member) && rest.length === 0;
    case 'tasks':
      return isKnownTasksPath(rest);
    case 'workspace':
      return ['id', 'url'].includes(member) && rest.length === 0;
    default:
      return true;
  }
}

function isKnownJobPath(member: string, rest: readonly string[]): boolean {
  switch (member) {
    case 'id':
    case 'name':
    case 'run_id':
    case 'repair_count':
      return rest.length === 0;
    case 'parameters':
      return rest.length === 1;
    case 'start_time':
      return rest.length === 0 || (rest.length === 1 && isTimeArgument(rest[0] ?? ''));
    case 'trigger':
      return isKnownTriggerPath(rest);
    default:
      return false;
  }
}

function isKnownTriggerPath([member, ...rest]: readonly string[]): boolean {
  if (member === 'type') return rest.length === 0;
  if (member === 'time') return rest.length === 0 || (rest.length === 1 && isTimeArgument(rest[0] ?? ''));
  if (member === 'file_arrival') return rest[0] === 'location';
  return member === 'table_update' && rest[0] === 'updated_tables';
}

function isKnownTasksPath([member = '', ...rest]: readonly string[]): boolean {
  if (member === 'values') return rest.length === 1;
  if (member === 'output') return ['first_row', 'rows', 'alert_state'].includes(rest[0] ?? '');
  return ['run_id', 'result_state', 'execution_count', 'error_code'].includes(member) && rest.length === 0;
}

/** `a.b.`c.d`` → [a, b, c.d]; null when it is not a path at all. */
function splitPath(text: string): string[] | null {
  if (!/^(?:[\w-]+|`[^`]+`)(?:\.(?:[\w-]+|`[^`]+`))*$/.test(text)) return null;
  return [...text.matchAll(/`([^`]+)`|[\w-]+/g)].map((match) => match[1] ?? match[0]);
}

function own<Value>(record: Readonly<Record<string, Value>>, key: string): Value | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}

function asText(value: JsonValue): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
