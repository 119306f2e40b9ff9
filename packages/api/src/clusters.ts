/** Clusters, as jobs describe them and as the API shows them. */
import { z } from 'zod';
import { route } from './route.ts';
import { epochMs, textMap, wireBool, wireInt, wireIntBetween, wireText } from './wire.ts';

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
  spark_conf: textMap.optional(),
  start_time: epochMs.optional(),
  terminated_time: epochMs.optional(),
  last_restarted_time: epochMs.optional(),
});
export type ClusterDocument = z.output<typeof ClusterDocument>;

export const clustersListLimitMax = 100;

export const clustersGet = route({
  method: 'GET',
  path: '/api/2.1/clusters/get',
  aliases: ['/api/2.0/clusters/get'],
  summary: 'Shows one cluster.',
  request: z.object({ cluster_id: z.string().min(1).max(255) }),
  response: ClusterDocument,
  permission: 'user',
  audit: 'clusters.get',
});

export const clustersList = route({
  method: 'GET',
  path: '/api/2.1/clusters/list',
  aliases: ['/api/2.0/clusters/list'],
  summary: 'Lists clusters: the shared one and those that jobs made.',
  request: z.object({
    page_size: wireIntBetween({ min: 1, max: clustersListLimitMax }).default(20),
    page_token: z.string().default(''),
  }),
  response: z.looseObject({
    clusters: z.array(ClusterDocument),
    next_page_token: z.string().optional(),
    prev_page_token: z.string().optional(),
  }),
  permission: 'user',
  audit: 'clusters.list',
});
