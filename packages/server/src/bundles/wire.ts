import type { BundleDeployment, BundleRecord, BundleVersion } from '@headrace/api';
import type { DeploymentRow } from './lock-store.ts';
import { toLock } from './locks.ts';
import type { VersionHead, VersionRow } from './version-store.ts';

export function toDeployment(row: DeploymentRow, current: VersionRow | null): BundleDeployment {
  const lock = toLock(row);
  return {
    deployment_id: row.deploymentId,
    state_path: row.statePath,
    target: row.target,
    bundle: row.bundle,
    current_version: row.currentVersion,
    ...(lock === null ? {} : { lock }),
    ...(current === null ? {} : { current: toRecord(current, row) }),
    ...(Object.keys(row.pending).length === 0 ? {} : { pending: { ...row.pending } }),
  };
}

export function toVersion(
  row: VersionHead,
  { currentVersion }: Pick<DeploymentRow, 'currentVersion'>,
): BundleVersion {
  return {
    version: row.version,
    created_at: row.createdAtMs,
    created_by: row.createdBy,
    ...(row.message === null ? {} : { message: row.message }),
    ...(row.git === null ? {} : { git: { ...row.git } }),
    ...(row.rolledBackTo === null ? {} : { rolled_back_to: row.rolledBackTo }),
    changes: { ...row.changes },
    is_current: row.version === currentVersion,
  };
}

export function toRecord(row: VersionRow, deployment: Pick<DeploymentRow, 'currentVersion'>): BundleRecord {
  return {
    ...toVersion(row, deployment),
    resources: [...row.resources],
    files: [...row.files],
    notes: { ...row.notes },
  };
}
