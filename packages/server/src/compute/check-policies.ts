/** Checked when a job is saved or submitted: the clusters that it describes, against the policies that they name. */
import type { JobSettings, NewCluster } from '@headrace/api';
import type { Config } from '../config.ts';
import type { Querier } from '../db/connect.ts';
import { withTasks } from '../runs/run-definition.ts';
import type { Document } from '../runs/run-facts.ts';
import { checkPoolId } from './check-clusters.ts';
import { governSpec } from './govern-cluster.ts';

interface Described {
  readonly field: string;
  readonly spec: NewCluster;
}

/** Of settings that are valid otherwise. They are stored as they were sent: policies fill in when a run starts. */
export async function checkClusterPolicies(
  db: Querier,
  settings: Document,
  { unknownIds }: Pick<Config, 'unknownIds'>,
): Promise<void> {
  for (const { field, spec } of findClusters(settings)) {
    await checkPoolId(db, spec, { unknownIds, field: `${field}.` });
    if (spec.policy_id !== undefined) await governSpec(db, spec, { kind: 'job', field: `${field}.` });
  }
}

function findClusters(settings: Document): Described[] {
  // They have passed the schema.
  const { tasks = [], job_clusters: shared = [] } = withTasks(settings, 'task') as JobSettings;
  const described = [
    ...shared.map(({ new_cluster: spec }, index) => ({ field: `job_clusters[${index}].new_cluster`, spec })),
    ...tasks.flatMap((task, index) => [
      { field: `tasks[${index}].new_cluster`, spec: task.new_cluster },
      { field: `tasks[${index}].for_each_task.task.new_cluster`, spec: task.for_each_task?.task.new_cluster },
    ]),
  ];
  return described.flatMap(({ field, spec }) => (spec === undefined ? [] : [{ field, spec }]));
}
