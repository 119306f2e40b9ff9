// Fields of the public API that the contract keeps without a type of its own: known to editors and to the search for
// misspelt fields. Names as in databricks-sdk 0.162.0 (Apache-2.0). What the contract knows does not stand here.

import {
  CronSchedule,
  EmailNotifications,
  InstancePoolFields,
  JobCluster,
  JobSettings,
  LibrarySpec,
  NestedTask,
  NewCluster,
  RunJobTask,
  routes,
  SparkJarTask,
  Task,
  WarehouseFields,
  WebhookNotifications,
} from '@headrace/api';
import { z } from 'zod';
import { fieldOf } from './walk-schema.ts';

/** People write versions and ids as numbers. */
const text = z.preprocess((value) => (typeof value === 'number' ? String(value) : value), z.string());
const whole = z.int();
const bool = z.boolean();
const any = z.unknown();
const texts = z.array(z.string());

const retryMode = z.enum(['NEVER', 'ON_FAILURE']);
const waits = {
  min_time_between_triggers_seconds: whole.optional(),
  wait_after_last_change_seconds: whole.optional(),
};
const sqlCondition = z.looseObject({ sql_query_id: text, warehouse_id: text, trigger_mode: text.optional() });

const trigger = {
  file_arrival: z.looseObject({ url: text, ...waits }),
  table_update: z.looseObject({
    table_names: texts,
    condition: z.enum(['ALL_UPDATED', 'ANY_UPDATED']).optional(),
    ...waits,
  }),
  periodic: z.looseObject({ interval: whole, unit: z.enum(['MINUTES', 'HOURS', 'DAYS', 'WEEKS']) }),
  job_completion: any,
  model: any,
  sql_condition: sqlCondition,
};

const environmentSpec = z.looseObject({
  dependencies: texts.optional(),
  environment_version: text.optional(),
  client: text.optional(),
  base_environment: text.optional(),
  java_dependencies: texts.optional(),
});

const task = { compute: any, disable_auto_optimization: bool, environment_variables_key: text };

const maintenance = { on_maintenance_start: any, on_maintenance_complete: any };

const cluster = {
  apply_policy_default_values: bool,
  aws_attributes: any,
  azure_attributes: any,
  dependency_mode: text,
  docker_image: any,
  driver_instance_pool_id: text,
  driver_node_type_flexibility: any,
  enable_local_disk_encryption: bool,
  gcp_attributes: any,
  is_single_node: bool,
  kind: text,
  remote_disk_throughput: whole,
  runtime_engine: text,
  single_user_name: text,
  ssh_public_keys: texts,
  total_initial_remote_disk_size: whole,
  use_ml_runtime: bool,
  worker_node_type_flexibility: any,
  workload_type: any,
};

type Fields = Readonly<Record<string, z.ZodType>>;

const byOwner: ReadonlyMap<z.core.$ZodType, Fields> = new Map<z.core.$ZodType, Fields>([
  [
    JobSettings,
    {
      budget_policy_id: text,
      duration_target: any,
      environment_variables: any,
      parent_path: text,
      triggers: any,
      usage_policy_id: text,
    },
  ],
  [Task, task],
  [NestedTask, task],
  [fieldOf(JobSettings, 'trigger'), trigger],
  [fieldOf(JobSettings, 'continuous'), { task_retry_mode: retryMode, maintenance_window: any }],
  [fieldOf(JobSettings, 'environments'), { spec: environmentSpec }],
  [fieldOf(JobSettings, 'deployment'), { deployment_id: text, metadata_file_path: text, version_id: text }],
  [fieldOf(LibrarySpec, 'maven'), { exclusions: texts, repo: text }],
  [fieldOf(LibrarySpec, 'cran'), { repo: text }],
  [CronSchedule, { sql_condition: sqlCondition }],
  [JobCluster, { serverless_compute: any, serverless_compute_id: text }],
  [SparkJarTask, { run_as_repl: bool }],
  [RunJobTask, { pipeline_params: any }],
  [EmailNotifications, maintenance],
  [WebhookNotifications, maintenance],
  [NewCluster, cluster],
  [routes.clustersCreate.request, cluster],
  [
    InstancePoolFields,
    {
      aws_attributes: any,
      azure_attributes: any,
      disk_spec: any,
      enable_elastic_disk: bool,
      gcp_attributes: any,
      node_type_flexibility: any,
      preloaded_docker_images: any,
      remote_disk_throughput: whole,
      total_initial_remote_disk_size: whole,
    },
  ],
  [routes.catalogsCreate.request, { connection_name: text, provider_name: text, share_name: text }],
  [WarehouseFields, { max_dbu: whole, customer_version_label: text }],
]);

/** Fields of an object that its own schema does not name. */
export function moreFieldsOf(schema: z.core.$ZodType): Fields {
  return byOwner.get(schema) ?? {};
}
