/**
 * The files exchanged with the Python runtime in an attempt's folder, `<data root>/attempts/<run id>/<attempt id>/`:
 *   attempt.json    worker → task   what to run (mode 0600: it holds a token)
 *   messages.jsonl  task → worker   task values, warnings, one JSON object a line
 *   notebook.json   task → UI       cells and outputs so far, replaced whole after each cell; of a SQL task its statements
 *   result.json     task → worker   how it ended, written last
 *   output.log      host            standard output and error, cut at `log_bytes_max`
 *   work/           the task's working folder, which the task makes
 * The Python side has the same shapes in headrace_runtime/documents.py; python/tests/test_documents.py holds them together.
 */
import type { JsonValue } from '@headrace/core';

export const protocolVersion = 1;

export interface AttemptDocument {
  readonly version: typeof protocolVersion;
  readonly attempt_id: number;
  readonly epoch: number;
  readonly run_id: number;
  readonly job_id: number | null;
  readonly job_name: string;
  readonly task_key: string;
  /** 0 for the first attempt. */
  readonly attempt_number: number;
  /** References resolved, job parameters merged. */
  readonly task: TaskDocument;
  /** Its path is one in the checkout of the run's Git source, which the task asks the API for. */
  readonly from_git?: boolean;
  readonly libraries: readonly LibraryDocument[];
  /** Values that ended tasks of this run have set: task key → name → value. */
  readonly task_values: Readonly<Record<string, Readonly<Record<string, JsonValue>>>>;
  readonly spark: {
    /** Every catalog of the metastore: each becomes `spark.sql.catalog.<name>`. */
    readonly catalogs: readonly string[];
    readonly default_catalog: string;
    /** Session configuration. */
    readonly conf: Readonly<Record<string, string>>;
  };
  /** `token` is short-lived and the principal's own. */
  readonly api: { readonly url: string; readonly token: string };
  readonly data_root: string;
  readonly principal: string;
  readonly cluster_id: string;
  readonly limits: {
    readonly log_bytes_max: number;
    readonly task_value_bytes_max: number;
    readonly exit_value_bytes_max: number;
    /** Left out where the host's own limits count. */
    readonly memory_bytes_max?: number;
    readonly disk_bytes_max?: number;
    /** 1 to 100, which is that of a task without one. */
    readonly cpu_weight?: number;
  };
}

export type TaskDocument =
  | {
      readonly kind: 'notebook';
      readonly notebook_path: string;
      readonly parameters: Readonly<Record<string, string>>;
    }
  | {
      readonly kind: 'python_wheel';
      readonly package_name: string;
      readonly entry_point: string;
      readonly parameters: readonly string[];
      /** Passed as `--name=value` after the positional ones. */
      readonly named_parameters: Readonly<Record<string, string>>;
    }
  | { readonly kind: 'spark_python'; readonly python_file: string; readonly parameters: readonly string[] }
  /** The JARs are among the libraries. */
  | {
      readonly kind: 'spark_jar';
      readonly main_class_name: string;
      readonly parameters: readonly string[];
    }
  | { readonly kind: 'spark_submit'; readonly parameters: readonly string[] }
  /** A file, or else a saved query or an alert, which the task asks the API for. */
  | {
      readonly kind: 'sql';
      readonly file_path: string | null;
      readonly query_id: string | null;
      readonly alert_id: string | null;
      readonly parameters: Readonly<Record<string, string>>;
    }
  | {
      readonly kind: 'dbt';
      /** Empty for the root of the run's Git checkout. */
      readonly project_directory: string;
      readonly profiles_directory: string | null;
      readonly commands: readonly string[];
      readonly catalog: string;
      readonly schema: string;
      readonly warehouse_id: string | null;
    }
  /** The process that runs a SQL warehouse's statements for one principal, so many at a time. */
  | { readonly kind: 'sql_endpoint'; readonly threads: number };

export type LibraryDocument =
  | { readonly whl: string }
  /** A line as a requirements file has it; its own index, if it names one. */
  | { readonly pypi: { readonly package: string; readonly repo: string | null } }
  | { readonly requirements: string }
  | { readonly jar: string }
  | {
      readonly maven: {
        readonly coordinates: string;
        readonly repo: string | null;
        readonly exclusions: readonly string[];
      };
    };

export type TaskMessage =
  | { readonly kind: 'task_value'; readonly name: string; readonly value: JsonValue }
  | { readonly kind: 'warning'; readonly message: string };

export interface ResultDocument {
  readonly version: typeof protocolVersion;
  readonly state: 'succeeded' | 'failed';
  /** Only with `failed`. */
  readonly failure?: {
    readonly code:
      | 'RUN_EXECUTION_ERROR'
      | 'LIBRARY_INSTALLATION_ERROR'
      | 'RESOURCE_NOT_FOUND'
      | 'DRIVER_ERROR'
      | 'CLUSTER_ERROR';
    readonly message: string;
    readonly trace: string | null;
  };
  readonly exit_value?: string;
}

export interface NotebookDocument {
  readonly version: typeof protocolVersion;
  readonly path: string;
  readonly cells: readonly NotebookCell[];
}

export interface NotebookCell {
  readonly language: 'python' | 'sql' | 'markdown' | 'run';
  readonly source: string;
  readonly state: 'waiting' | 'running' | 'succeeded' | 'failed' | 'skipped';
  readonly title?: string;
  readonly started_at_ms?: number | null;
  readonly elapsed_ms: number | null;
  readonly outputs: readonly NotebookOutput[];
}

export type NotebookOutput =
  | { readonly kind: 'text'; readonly text: string; readonly stream?: 'stderr' }
  | { readonly kind: 'html'; readonly html: string }
  | { readonly kind: 'image'; readonly mime: string; readonly base64: string }
  | {
      readonly kind: 'table';
      readonly columns: readonly { name: string; type: string }[];
      readonly rows: readonly (readonly JsonValue[])[];
      readonly truncated: boolean;
      /** Which limit has cut it. */
      readonly note?: string;
    }
  | { readonly kind: 'error'; readonly message: string; readonly trace: string };
