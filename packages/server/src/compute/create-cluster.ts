/** Makes an all-purpose cluster; the loop and the workers start it. */
import { ApiError, type NewCluster } from '@headrace/api';
import type { Principal } from '../context.ts';
import { refuseUnstorable } from '../jobs/validate-settings.ts';
import type { Services } from '../services.ts';
import { requireClusterSpec } from './check-cluster-spec.ts';
import { checkPoolId } from './check-clusters.ts';
import { insertClusterEvents } from './event-store.ts';
import { governSpec, refuseTooMany } from './govern-cluster.ts';
import { findLife, insertAllPurpose } from './life-store.ts';
import { unknownCluster } from './list-clusters.ts';
import { newClusterId } from './new-cluster-id.ts';
import { autoterminationMinutesDefault } from './settle-clusters.ts';

type NewSpec = NewCluster & { readonly clone_from?: { readonly source_cluster_id: string } | undefined };

/** Its id. */
export async function createCluster(
  { db, clock, config }: Pick<Services, 'db' | 'clock' | 'config'>,
  { clone_from: source, ...asked }: NewSpec,
  principal: Principal,
): Promise<string> {
  refuseUnstorable(asked, 'cluster');
  const whole = { ...(source ? await readSpec(db, source.source_cluster_id) : {}), ...asked };
  await checkPoolId(db, whole, config);
  const governed = await governSpec(db, whole, { kind: 'all_purpose' });
  const spec = toStoredSpec(governed.spec);
  const warnings = [...requireClusterSpec(spec), ...governed.warnings];
  const nowMs = clock.nowMs();
  const clusterId = newClusterId(nowMs);
  const clusterName = spec.cluster_name || clusterId;
  await db.transaction(async (client) => {
    await refuseTooMany(client, { spec, ownerId: principal.id, clusterId });
    const row = { clusterId, clusterName, spec, warnings, nowMs };
    const isNew = await insertAllPurpose(client, {
      ...row,
      ownerId: principal.id,
      createdBy: principal.userName,
    });
    if (!isNew) throw new ApiError('RESOURCE_CONFLICT', `cluster id ${clusterId} is taken: ask once more`);
    const details = { user: principal.userName, attributes: spec, ...(warnings.length > 0 && { warnings }) };
    await insertClusterEvents(client, clusterId, [{ type: 'CREATING', details }], nowMs);
  });
  return clusterId;
}

/** What asks for something is not part of what the cluster is. */
export function toStoredSpec({
  apply_policy_default_values: _,
  cluster_id: __,
  ...spec
}: NewCluster): NewCluster {
  return { ...spec, autotermination_minutes: spec.autotermination_minutes ?? autoterminationMinutesDefault };
}

async function readSpec(db: Services['db'], clusterId: string): Promise<NewCluster> {
  const row = await findLife(db, clusterId);
  if (!row || row.deletedAtMs !== null) throw unknownCluster(clusterId);
  return row.spec;
}
