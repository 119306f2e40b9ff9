import { describe, expect, test } from 'vitest';
import type { HostSetup } from './hosts/host-backend.ts';
import type { ClusterAssignment, ExecutorPlan } from './ports.ts';
import { findDifferences } from './spare-hosts.ts';

const node = { cores: 4, memoryMb: 16_384 };
const two: ExecutorPlan = { min: 2, max: 2, node };
const cluster = (executors?: ExecutorPlan): ClusterAssignment => ({
  ...{ clusterId: 'c', clusterName: 'c', hostKey: 'k', idleMs: null, environment: {}, sparkConf: {} },
  ...(executors && { executors }),
});
const waiting = (executors?: ExecutorPlan | null): HostSetup => ({
  ...{ sparkConf: {}, poolId: 'p' },
  ...(executors !== undefined && { executors }),
});

describe('a waiting host fits', () => {
  test('where drivers do all the work, however many executors a cluster asks for', () => {
    expect(findDifferences(cluster(two), waiting())).toEqual([]);
  });

  test('a cluster that asks for the same executors, and no other', () => {
    expect(findDifferences(cluster({ ...two }), waiting(two))).toEqual([]);
    expect(findDifferences(cluster(), waiting(null))).toEqual([]);
    expect(findDifferences(cluster({ ...two, max: 4 }), waiting(two))).toEqual([
      'the cluster has 2 to 4 executors of 4 cores and 16384 MB, the waiting host 2 executors of 4 cores and 16384 MB',
    ]);
    expect(findDifferences(cluster(two), waiting(null))).toEqual([
      'the cluster has 2 executors of 4 cores and 16384 MB, the waiting host no executors',
    ]);
  });
});
