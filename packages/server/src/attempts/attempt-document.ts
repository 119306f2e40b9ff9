/**
 * What an attempt is given: the task with its references resolved and the job's parameters in it, libraries, values
 * that earlier tasks have set. Pure: from the run's frozen settings, and what the server knows of itself.
 */
import { findTaskKinds, type JobSettings } from '@headrace/api';
import type { Failure, JsonValue } from '@headrace/core';
import type { AttemptDocument, LibraryDocument, TaskDocument } from '@headrace/worker';
import { findGitPath } from '../runs/git-path.ts';
import type { Document, OverridingParameters } from '../runs/run-facts.ts';
import { findTask, type WrittenTask } from '../runs/task-documents.ts';
import { runningMax } from '../statements/limits.ts';
import { toLibraries } from './libraries-of-task.ts';
import { type AttemptOf, resolveAll, type ServerUrls, toReferenceScope } from './reference-scope.ts';
import { toSqlTaskDocument } from './sql-task-document.ts';
import { valuesForTasks } from './task-values.ts';

/** The server knows the worker by its types alone; they hold both to one number. */
const protocolVersion: AttemptDocument['version'] = 1;

/** Where the host cuts a task's log: the head and the end stay. */
export const logBytesMax = 64 * 1024 * 1024;
const taskValueBytesMax = 1024 * 1024;
/** As hosted. */
const exitValueBytesMax = 5 * 1024 * 1024;

const bytesPerMegabyte = 1024 * 1024;

/** What is the same for all attempts, but for the token. */
export interface AttemptSurroundings extends ServerUrls {
  /** What the cluster asks for and a session takes. */
  readonly sessionConf: Readonly<Record<string, string>>;
  readonly apiUrl: string;
  readonly dataRoot: string;
  readonly defaultCatalog: string;
  readonly catalogs: readonly string[];
  readonly token: string;
  readonly clusterId: string;
}

export interface AttemptParts {
  readonly task: TaskDocument;
  readonly isFromGit: boolean;
  readonly libraries: readonly LibraryDocument[];
  readonly limits: Pick<AttemptDocument['limits'], 'memory_bytes_max' | 'disk_bytes_max' | 'cpu_weight'>;
  /** As `resolved_values` shows it. */
  readonly resolved: JsonValue;
  /** Of a SQL or dbt task that names one. */
  readonly warehouseId: string | null;
}

/** A Failure says why there can be no such document, in words for whoever wrote the job. */
export function toAttemptParts(attempt: AttemptOf, urls: ServerUrls): AttemptParts | Failure {
  const settings = attempt.facts.settings as JobSettings; // It passed the schema before it was frozen.
  const written = findTask(settings, attempt.taskRun.taskKey);
  const scope = toReferenceScope(attempt, urls);
  const task = resolveAll(written, scope);
  const libraries = toLibraries(task, settings);
  if ('code' in libraries) return libraries;
  const overriding = resolveAll(attempt.facts.parameters.overriding, scope);
  const document =
    toEndpointDocument(attempt) ??
    toTaskDocument(task, overriding, scope.job.parameters) ??
    toSqlTaskDocument(task, { settings, overriding, jobParameters: scope.job.parameters });
  const isFromGit = findGitPath(written, settings) !== null;
  if (document) {
    const resolved = toResolvedValues(document, task);
    const warehouseId = task.sql_task?.warehouse_id ?? task.dbt_task?.warehouse_id ?? null;
    return { task: document, isFromGit, libraries, limits: toLimits(written), resolved, warehouseId };
  }
  const kinds = findTaskKinds(written).join(', ');
  return { code: 'INTERNAL_ERROR', message: `A ${kinds} is not supported yet.`, trace: null };
}

function toLimits({ headrace }: WrittenTask): AttemptParts['limits'] {
  const { memory_mb, disk_mb, cpu_weight } = headrace ?? {};
  return {
    ...(memory_mb === undefined ? {} : { memory_bytes_max: memory_mb * bytesPerMegabyte }),
    ...(disk_mb === undefined ? {} : { disk_bytes_max: disk_mb * bytesPerMegabyte }),
    ...(cpu_weight === undefined ? {} : { cpu_weight }),
  };
}

export function toAttemptDocument(
  attempt: AttemptOf,
  parts: AttemptParts,
  surroundings: AttemptSurroundings,
): AttemptDocument {
  const { facts, run, taskRun, epoch } = attempt;
  const settings = facts.settings as JobSettings;
  return {
    version: protocolVersion,
    attempt_id: taskRun.attemptId,
    epoch,
    run_id: run.runId,
    job_id: run.jobId,
    job_name: facts.runName,
    task_key: taskRun.taskKey,
    attempt_number: taskRun.attempt,
    task: parts.task,
    ...(parts.isFromGit ? { from_git: true } : {}),
    libraries: parts.libraries,
    task_values: valuesForTasks(run),
    spark: {
      catalogs: surroundings.catalogs,
      default_catalog: settings.headrace?.default_catalog ?? surroundings.defaultCatalog,
      conf: surroundings.sessionConf,
    },
    api: { url: surroundings.apiUrl, token: surroundings.token },
    data_root: surroundings.dataRoot,
    principal: facts.creatorUserName,
    cluster_id: surroundings.clusterId,
    limits: {
      log_bytes_max: logBytesMax,
      task_value_bytes_max: taskValueBytesMax,
      exit_value_bytes_max: exitValueBytesMax,
      ...parts.limits,
    },
  };
}

/** What it executes is ours, whatever its task says. */
function toEndpointDocument({ facts }: AttemptOf): TaskDocument | null {
  return facts.runType === 'SQL_ENDPOINT' ? { kind: 'sql_endpoint', threads: runningMax } : null;
}

/** Null for a kind that no host runs yet. */
function toTaskDocument(
  task: WrittenTask,
  overriding: OverridingParameters,
  jobParameters: Readonly<Record<string, string>>,
): TaskDocument | null {
  if (task.notebook_task) {
    const { notebook_path, base_parameters } = task.notebook_task;
    // On the same key the job's parameter wins.
    const parameters = { ...base_parameters, ...overriding.notebook_params, ...jobParameters };
    return { kind: 'notebook', notebook_path, parameters };
  }
  if (task.python_wheel_task) {
    const { package_name, entry_point, parameters, named_parameters } = task.python_wheel_task;
    const positional = overriding.python_params ?? parameters ?? [];
    // Job parameters, and those that the run brings for other wheels, reach a wheel only where it takes them by name.
    const named = named_parameters ?? (positional.length === 0 ? overriding.python_named_params : undefined);
    return {
      kind: 'python_wheel',
      package_name,
      entry_point,
      parameters: positional,
      named_parameters: named ? { ...named, ...overriding.python_named_params, ...jobParameters } : {},
    };
  }
  if (task.spark_python_task) {
    const { python_file, parameters } = task.spark_python_task;
    return { kind: 'spark_python', python_file, parameters: overriding.python_params ?? parameters ?? [] };
  }
  return toJvmTaskDocument(task, overriding);
}

/** In a JVM of its own. Job parameters reach these through references alone. */
function toJvmTaskDocument(task: WrittenTask, overriding: OverridingParameters): TaskDocument | null {
  if (task.spark_jar_task) {
    const { main_class_name = '', parameters } = task.spark_jar_task;
    return { kind: 'spark_jar', main_class_name, parameters: overriding.jar_params ?? parameters ?? [] };
  }
  if (task.spark_submit_task) {
    const { parameters } = task.spark_submit_task;
    return { kind: 'spark_submit', parameters: overriding.spark_submit_params ?? parameters ?? [] };
  }
  return null;
}

function toResolvedValues(task: TaskDocument, written: WrittenTask): Document {
  switch (task.kind) {
    case 'notebook':
      return { notebook_task: { base_parameters: task.parameters } };
    case 'python_wheel':
      return {
        python_wheel_task: { parameters: task.parameters, named_parameters: task.named_parameters },
      };
    case 'spark_python':
      return { spark_python_task: { parameters: task.parameters } };
    case 'spark_jar':
      return { spark_jar_task: { parameters: task.parameters } };
    case 'spark_submit':
      return { spark_submit_task: { parameters: task.parameters } };
    case 'sql':
      return { sql_task: { parameters: task.parameters, ...alertOf(written) } };
    case 'dbt':
      return { dbt_task: { commands: task.commands } };
    case 'sql_endpoint':
      return {};
  }
}

/** Whose state the attempt may report, and who is told. */
function alertOf({ sql_task: sql }: WrittenTask): Document {
  return sql?.alert ? { alert: sql.alert as JsonValue } : {}; // It came as JSON.
}
