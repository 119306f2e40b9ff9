/** What an attempt of a SQL or dbt task is given. Pure. */
import type { JobSettings } from '@headrace/api';
import type { TaskDocument } from '@headrace/worker';
import type { OverridingParameters } from '../runs/run-facts.ts';
import type { WrittenTask } from '../runs/task-documents.ts';

/** As hosted, where a dbt task names no schema. */
const dbtSchemaDefault = 'default';

export interface SqlTaskSurroundings {
  readonly settings: JobSettings;
  readonly overriding: OverridingParameters;
  readonly jobParameters: Readonly<Record<string, string>>;
}

/** Null for other kinds, and for what no host runs yet: a dashboard. */
export function toSqlTaskDocument(
  { sql_task: sql, dbt_task: dbt }: WrittenTask,
  { settings, overriding, jobParameters }: SqlTaskSurroundings,
): TaskDocument | null {
  if (sql?.file || sql?.query || sql?.alert) {
    return {
      kind: 'sql',
      file_path: sql.file?.path ?? null,
      query_id: sql.file ? null : (sql.query?.query_id ?? null),
      alert_id: sql.file || sql.query ? null : (sql.alert?.alert_id ?? null),
      // On the same key the job's parameter wins.
      parameters: { ...sql.parameters, ...overriding.sql_params, ...jobParameters },
    };
  }
  if (dbt) {
    return {
      kind: 'dbt',
      project_directory: dbt.project_directory ?? '',
      profiles_directory: dbt.profiles_directory ?? null,
      commands: overriding.dbt_commands ?? dbt.commands ?? [],
      // Empty: the job's own default.
      catalog: dbt.catalog ?? settings.headrace?.default_catalog ?? '',
      schema: dbt.schema ?? dbtSchemaDefault,
      warehouse_id: dbt.warehouse_id ?? null,
    };
  }
  return null;
}
