/** What is known of a run beside its course: who made it, why, and from which settings. Frozen with its generation. */
import type { AttemptId, JobId, JsonValue, RunId } from '@headrace/core';

/** SQL_ENDPOINT: a process of a SQL warehouse, which no list of runs shows. */
export const runTypes = ['JOB_RUN', 'SUBMIT_RUN', 'SQL_ENDPOINT'] as const;
export type RunType = (typeof runTypes)[number];

/** The wire's names. */
export const runTriggers = [
  'PERIODIC',
  'ONE_TIME',
  'RETRY',
  'RUN_JOB_TASK',
  'FILE_ARRIVAL',
  'TABLE',
  'CONTINUOUS',
  'CONTINUOUS_RESTART',
] as const;
export type RunTrigger = (typeof runTriggers)[number];

/** A document as the user gave it: fields that we do not know are kept. */
export type Document = { readonly [key: string]: JsonValue };

/** Texts by name and lists of texts, as run-now takes them; they override what the tasks say. */
export interface OverridingParameters {
  readonly notebook_params?: Readonly<Record<string, string>>;
  readonly python_params?: readonly string[];
  readonly python_named_params?: Readonly<Record<string, string>>;
  readonly jar_params?: readonly string[];
  readonly spark_submit_params?: readonly string[];
  readonly sql_params?: Readonly<Record<string, string>>;
  readonly dbt_commands?: readonly string[];
  readonly pipeline_params?: Document;
}

export interface JobParameterValue {
  readonly name: string;
  readonly default: string;
  /** Only where the caller gave one. */
  readonly value?: string;
}

export interface RunParameters {
  readonly job: readonly JobParameterValue[];
  readonly overriding: OverridingParameters;
  /** Only these tasks, as the caller named them; without it, all. A repair selects alike. */
  readonly only?: readonly string[];
}

/** The task whose work this run is. */
export interface RunParent {
  readonly runId: RunId;
  readonly attemptId: AttemptId;
}

export interface RunFacts {
  readonly runId: RunId;
  readonly jobId: JobId | null;
  readonly runType: RunType;
  readonly runName: string;
  readonly trigger: RunTrigger;
  readonly ownerId: number;
  readonly creatorUserName: string;
  readonly idempotencyToken: string | null;
  readonly numberInJob: number;
  readonly parent: RunParent | null;
  /** The settings document of the current generation. */
  readonly settings: Document;
  readonly parameters: RunParameters;
}
