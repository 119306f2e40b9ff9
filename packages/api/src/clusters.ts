/** Clusters, as jobs describe them and as the API shows them. */
import { z } from 'zod';
import { route } from './route.ts';
import { epochMs, Nothing, textMap, wireBool, wireInt, wireIntBetween, wireText } from './wire.ts';

export const LibrarySpec = z.looseObject({
  whl: z.string().optional(),
  pypi: z.looseObject({ package: z.string().min(1), repo: z.string().optional() }).optional(),
  requirements: z.string().optional(),
  jar: z.string().optional(),
  egg: z.string().optional(),
  maven: z.looseObject({ coordinates: z.string() }).optional(),
  cran: z.looseObject({ package: z.string() }).optional(),
});
export type LibrarySpec = z.output<typeof LibrarySpec>;

export const AutoScale = z.looseObject({
  min_workers: wireIntBetween({ min: 0 }).optional(),
  max_workers: wireIntBetween({ min: 0 }).optional(),
});

const Destination = z.looseObject({ destination: z.string().min(1).max(4_096) });
export const initScriptsMax = 10;

/** Where a script is that runs before the cluster's processes start; one place of these. */
export const InitScript = z.looseObject({
  workspace: Destination.optional(),
  volumes: Destination.optional(),
  dbfs: Destination.optional(),
  file: Destination.optional(),
  s3: Destination.optional(),
  abfss: Destination.optional(),
  gcs: Destination.optional(),
});
export type InitScript = z.output<typeof InitScript>;

/** A cluster made for a job. Cloud attributes are among the unknown fields: stored and shown, without effect. */
export const NewCluster = z.looseObject({
  cluster_name: z.string().max(255).optional(),
  spark_version: z.string().max(255).optional(),
  node_type_id: z.string().max(255).optional(),
  driver_node_type_id: z.string().max(255).optional(),
  num_workers: wireIntBetween({ min: 0 }).optional(),
  autoscale: AutoScale.optional(),
  spark_conf: z.record(z.string(), wireText).optional(),
  spark_env_vars: textMap.optional(),
  init_scripts: z.array(InitScript).max(initScriptsMax).optional(),
  cluster_log_conf: z
    .looseObject({
      dbfs: Destination.optional(),
      volumes: Destination.optional(),
      s3: Destination.optional(),
    })
    .optional(),
  custom_tags: textMap.optional(),
  policy_id: z.string().optional(),
  instance_pool_id: z.string().optional(),
  data_security_mode: z.string().optional(),
  autotermination_minutes: wireInt.optional(),
  enable_elastic_disk: wireBool.optional(),
});
export type NewCluster = z.output<typeof NewCluster>;

export const clusterStates = [
  'PENDING',
  'RUNNING',
  'RESTARTING',
  'RESIZING',
  'TERMINATING',
  'TERMINATED',
  'ERROR',
  'UNKNOWN',
] as const;
export type ClusterState = (typeof clusterStates)[number];
export const clusterSources = [
  'API',
  'JOB',
  'UI',
  'SQL',
  'MODELS',
  'PIPELINE',
  'PIPELINE_MAINTENANCE',
] as const;

export const TerminationReason = z.looseObject({
  code: z.string(),
  type: z.enum(['SUCCESS', 'CLIENT_ERROR', 'SERVICE_FAULT', 'CLOUD_FAILURE']),
  parameters: textMap.optional(),
});
export type TerminationReason = z.output<typeof TerminationReason>;

export const ClusterDocument = z.looseObject({
  cluster_id: z.string(),
  cluster_name: z.string(),
  cluster_source: z.string().optional(),
  creator_user_name: z.string().optional(),
  state: z.enum(clusterStates),
  state_message: z.string().optional(),
  spark_version: z.string().optional(),
  node_type_id: z.string().optional(),
  num_workers: z.int().optional(),
  autotermination_minutes: z.int().optional(),
  spark_conf: textMap.optional(),
  default_tags: textMap.optional(),
  cluster_cores: z.number().optional(),
  cluster_memory_mb: z.int().optional(),
  start_time: epochMs.optional(),
  terminated_time: epochMs.optional(),
  last_restarted_time: epochMs.optional(),
  termination_reason: TerminationReason.optional(),
  /** As it was asked for. */
  spec: z.looseObject({}).optional(),
  /** Only where one cluster is asked for. */
  headrace: z.looseObject({ running_tasks: z.int() }).optional(),
});
export type ClusterDocument = z.output<typeof ClusterDocument>;

export const clustersListLimitMax = 100;
/** Beyond it a number is a slip. */
export const clusterWorkersMax = 100_000;
export const clusterEventsLimitMax = 500;

const ClusterId = z.object({ cluster_id: z.string().min(1).max(255) });
/** How many tasks ran on it, which end with their host: an extension, where there were any. */
const Interruption = z.object({ headrace: z.object({ interrupted_tasks: z.int() }).optional() });
/** All-purpose clusters say which runtime they want, as clients insist. */
const AllPurposeCluster = { ...NewCluster.shape, spark_version: z.string().min(1).max(255) };

/** Every path of the public clusters API, in both its versions. */
function place(name: string) {
  return { path: `/api/2.1/clusters/${name}`, aliases: [`/api/2.0/clusters/${name}`] };
}

export const clustersCreate = route({
  method: 'POST',
  ...place('create'),
  summary: 'Makes an all-purpose cluster and starts it.',
  request: z.looseObject({
    ...AllPurposeCluster,
    clone_from: z.looseObject({ source_cluster_id: z.string().min(1) }).optional(),
  }),
  response: z.looseObject({ cluster_id: z.string() }),
  permission: 'user',
  audit: 'clusters.create',
});

export const clustersEdit = route({
  method: 'POST',
  ...place('edit'),
  summary: 'Replaces what a cluster is; one that runs is restarted.',
  request: z.looseObject({ ...AllPurposeCluster, ...ClusterId.shape }),
  response: Interruption,
  permission: 'user',
  audit: 'clusters.edit',
});

export const clustersUpdate = route({
  method: 'POST',
  ...place('update'),
  summary: 'Changes the named fields of a cluster; one that runs is restarted.',
  request: z.object({
    ...ClusterId.shape,
    /** Names with commas between; a name that `cluster` does not have is taken out. */
    update_mask: z.string().min(1).max(4_096),
    cluster: NewCluster.optional(),
  }),
  response: Interruption,
  permission: 'user',
  audit: 'clusters.update',
});

export const clustersStart = route({
  method: 'POST',
  ...place('start'),
  summary: 'Starts a cluster that is terminated.',
  request: ClusterId,
  response: Nothing,
  permission: 'user',
  audit: 'clusters.start',
});

export const clustersRestart = route({
  method: 'POST',
  ...place('restart'),
  summary: 'Restarts a cluster that runs; the tasks on it end.',
  request: z.object({ ...ClusterId.shape, restart_user: z.string().optional() }),
  response: Interruption,
  permission: 'user',
  audit: 'clusters.restart',
});

export const clustersDelete = route({
  method: 'POST',
  ...place('delete'),
  summary: 'Terminates a cluster; it stays and can be started again.',
  request: ClusterId,
  response: Interruption,
  permission: 'user',
  audit: 'clusters.delete',
});

export const clustersPermanentDelete = route({
  method: 'POST',
  ...place('permanent-delete'),
  summary: 'Terminates a cluster and takes it out of sight for good.',
  request: ClusterId,
  response: Interruption,
  permission: 'user',
  audit: 'clusters.permanent-delete',
});

export const clustersPin = route({
  method: 'POST',
  ...place('pin'),
  summary: 'Keeps a cluster for ever, however long it is terminated.',
  request: ClusterId,
  response: Nothing,
  permission: 'user',
  audit: 'clusters.pin',
});

export const clustersUnpin = route({
  method: 'POST',
  ...place('unpin'),
  summary: 'Lets a terminated cluster go with age.',
  request: ClusterId,
  response: Nothing,
  permission: 'user',
  audit: 'clusters.unpin',
});

export const clustersResize = route({
  method: 'POST',
  ...place('resize'),
  summary: 'Changes the number of workers of a cluster that runs.',
  request: z.object({
    ...ClusterId.shape,
    num_workers: wireIntBetween({ min: 0, max: clusterWorkersMax }).optional(),
    autoscale: AutoScale.optional(),
  }),
  response: Nothing,
  permission: 'user',
  audit: 'clusters.resize',
});

export const clustersChangeOwner = route({
  method: 'POST',
  ...place('change-owner'),
  summary: 'Gives a terminated cluster to another user.',
  request: z.object({ ...ClusterId.shape, owner_username: z.string().min(1).max(255) }),
  response: Nothing,
  permission: 'admin',
  audit: 'clusters.change-owner',
});

export const ClusterEvent = z.looseObject({
  cluster_id: z.string(),
  timestamp: epochMs,
  type: z.string(),
  details: z.looseObject({}),
});
export type ClusterEvent = z.output<typeof ClusterEvent>;

const EventsRequest = z.object({
  ...ClusterId.shape,
  start_time: wireIntBetween({ min: 0 }).optional(),
  end_time: wireIntBetween({ min: 0 }).optional(),
  event_types: z.array(z.string().max(100)).max(100).default([]),
  order: z.enum(['ASC', 'DESC']).default('DESC'),
  offset: wireIntBetween({ min: 0, max: 1_000_000 }).default(0),
  limit: wireIntBetween({ min: 0, max: clusterEventsLimitMax }).default(50),
  /** Zero means the default of the list. */
  page_size: wireIntBetween({ min: 0, max: clusterEventsLimitMax }).default(0),
  page_token: z.string().default(''),
});

export const clustersEvents = route({
  method: 'POST',
  ...place('events'),
  summary: 'Lists what happened to a cluster, newest first.',
  request: EventsRequest,
  response: z.looseObject({
    events: z.array(ClusterEvent),
    total_count: z.int(),
    /** The request for the next page, whole. */
    next_page: z.looseObject({}).optional(),
    next_page_token: z.string().optional(),
    prev_page_token: z.string().optional(),
  }),
  permission: 'user',
  audit: 'clusters.events',
});

export const clustersGet = route({
  method: 'GET',
  ...place('get'),
  summary: 'Shows one cluster.',
  request: ClusterId,
  response: ClusterDocument,
  permission: 'user',
  audit: 'clusters.get',
});

/** Repeated in a query, or with commas between. */
function listOf<const Values extends readonly string[]>(values: Values) {
  return z
    .preprocess(
      (value) => (typeof value === 'string' ? value.split(',').filter((part) => part !== '') : value),
      z.array(z.enum(values)),
    )
    .default([]);
}

export const clustersList = route({
  method: 'GET',
  ...place('list'),
  summary: 'Lists clusters: the shared one, all-purpose ones, and those that jobs made.',
  request: z.object({
    page_size: wireIntBetween({ min: 0, max: clustersListLimitMax }).default(0),
    page_token: z.string().default(''),
    'filter_by.cluster_states': listOf(clusterStates),
    'filter_by.cluster_sources': listOf(clusterSources),
    'filter_by.is_pinned': wireBool.optional(),
    'filter_by.policy_id': z.string().max(255).optional(),
    'sort_by.field': z.enum(['DEFAULT', 'CLUSTER_NAME']).default('DEFAULT'),
    'sort_by.direction': z.enum(['ASC', 'DESC']).optional(),
  }),
  response: z.looseObject({
    clusters: z.array(ClusterDocument),
    next_page_token: z.string().optional(),
    prev_page_token: z.string().optional(),
  }),
  permission: 'user',
  audit: 'clusters.list',
});

export const NodeType = z.looseObject({
  node_type_id: z.string(),
  memory_mb: z.int(),
  num_cores: z.number(),
  description: z.string(),
  instance_type_id: z.string(),
  category: z.string(),
});
export type NodeType = z.output<typeof NodeType>;

export const clustersListNodeTypes = route({
  method: 'GET',
  ...place('list-node-types'),
  summary: 'Lists the node types whose cores and memory are known.',
  request: z.object({}),
  response: z.looseObject({ node_types: z.array(NodeType) }),
  permission: 'user',
  audit: 'clusters.list-node-types',
});

export const clustersSparkVersions = route({
  method: 'GET',
  ...place('spark-versions'),
  summary: 'Lists names of runtimes; every one runs on the runtime that is installed.',
  request: z.object({}),
  response: z.looseObject({ versions: z.array(z.looseObject({ key: z.string(), name: z.string() })) }),
  permission: 'user',
  audit: 'clusters.spark-versions',
});

export const clustersListZones = route({
  method: 'GET',
  ...place('list-zones'),
  summary: 'Lists the places where clusters may be.',
  request: z.object({}),
  response: z.looseObject({ zones: z.array(z.string()), default_zone: z.string() }),
  permission: 'user',
  audit: 'clusters.list-zones',
});
