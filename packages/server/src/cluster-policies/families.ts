/**
 * Policies to begin from: a policy may name a family and override some of its rules. These are Headrace's own; the ids
 * are those that public definitions name.
 */
import type { PolicyFamily } from '@headrace/api';

function family(id: string, name: string, description: string, rules: object): PolicyFamily {
  return { policy_family_id: id, name, description, definition: JSON.stringify(rules) };
}

const stops = { type: 'range', minValue: 10, maxValue: 10_000, defaultValue: 60 } as const;
const anyVersion = { type: 'unlimited', defaultValue: 'auto:latest-lts' } as const;

export const policyFamilies: readonly PolicyFamily[] = [
  family('job-cluster', 'Job Compute', 'Clusters that runs make for themselves.', {
    cluster_type: { type: 'fixed', value: 'job' },
    spark_version: anyVersion,
    num_workers: { type: 'unlimited', defaultValue: 2, isOptional: true },
  }),
  family('personal-vm', 'Personal Compute', 'A driver alone, for one person.', {
    cluster_type: { type: 'fixed', value: 'all-purpose' },
    spark_version: anyVersion,
    num_workers: { type: 'fixed', value: 0, hidden: true },
    autotermination_minutes: stops,
  }),
  family('power-user', 'Power User Compute', 'All-purpose clusters that stop when they are idle.', {
    cluster_type: { type: 'fixed', value: 'all-purpose' },
    spark_version: anyVersion,
    autotermination_minutes: stops,
  }),
  family('shared-compute', 'Shared Compute', 'All-purpose clusters that grow with what runs on them.', {
    cluster_type: { type: 'fixed', value: 'all-purpose' },
    spark_version: anyVersion,
    'autoscale.min_workers': { type: 'unlimited', defaultValue: 1 },
    'autoscale.max_workers': { type: 'range', maxValue: 10, defaultValue: 4 },
    autotermination_minutes: stops,
  }),
];

export function findFamily(id: string): PolicyFamily | null {
  return policyFamilies.find(({ policy_family_id }) => policy_family_id === id) ?? null;
}
