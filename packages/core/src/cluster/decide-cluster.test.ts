import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type ClusterFacts, type ClusterHost, type ClusterMove, decideCluster } from './decide-cluster.ts';
import { generationOf, toHostKey } from './host-key.ts';

const nowMs = 1_000_000_000;

const ownHost: ClusterHost = {
  hostKey: 'k-1',
  workerId: 'w1',
  state: 'running',
  isWorkerThere: true,
  message: 'fine',
  failureCode: null,
};

function someFacts(changes: Partial<ClusterFacts> = {}): ClusterFacts {
  return {
    state: 'RUNNING',
    wanted: 'running',
    generation: 1,
    workerId: 'w1',
    isWorkerThere: true,
    ownHostKey: 'k-1',
    hosts: [ownHost],
    isBusy: false,
    isResizeDue: false,
    activeAtMs: nowMs,
    autoterminationMs: null,
    recentRecoveries: 0,
    freeWorkerId: null,
    ...changes,
  };
}

const decide = (changes: Partial<ClusterFacts> = {}) => decideCluster(someFacts(changes), nowMs);
const died: ClusterHost = { ...ownHost, state: 'failed', message: 'the host died' };

describe('what follows from the facts', () => {
  test('a cluster runs when its own host does, and not when that of another principal or worker does', () => {
    expect(decide({ state: 'PENDING' })).toMatchObject({ state: 'RUNNING' });
    expect(decide({ state: 'PENDING', hosts: [{ ...ownHost, hostKey: 'other-1' }] })).toBeNull();
    expect(decide({ state: 'PENDING', hosts: [{ ...ownHost, workerId: 'w2' }] })).toBeNull();
  });

  test('it is idle only where nothing runs on it, and only for as long as it was told', () => {
    const idle = { autoterminationMs: 600_000, activeAtMs: nowMs - 600_000 };

    expect(decide(idle)).toMatchObject({ wanted: 'terminated', termination: { code: 'INACTIVITY' } });
    expect(decide({ ...idle, isBusy: true })).toBeNull();
    expect(decide({ ...idle, activeAtMs: nowMs - 599_999 })).toBeNull();
    expect(decide({ ...idle, autoterminationMs: null })).toBeNull();
  });

  test('a resize waits until nothing runs on it, and is done once', () => {
    const due = { isResizeDue: true };

    expect(decide({ ...due, isBusy: true })).toBeNull();
    expect(decide(due)).toMatchObject({ state: 'RESIZING', generation: 2 });
    expect(decide({ ...due, state: 'RESTARTING' })).toMatchObject({ state: 'RUNNING' });
  });

  test('a host that dies is replaced in a new generation, a few times', () => {
    expect(decide({ hosts: [died] })).toMatchObject({ state: 'RESTARTING', generation: 2 });
    expect(decide({ hosts: [died], recentRecoveries: 3 })).toMatchObject({
      ...{ wanted: 'terminated', termination: { code: 'DRIVER_UNEXPECTED_FAILURE' } },
    });
  });

  test('a host that does not start ends the cluster with the reason', () => {
    const hosts = [{ ...died, failureCode: 'START_FAILURE', message: 'no Python' }];

    expect(decide({ state: 'PENDING', hosts })).toMatchObject({
      ...{ wanted: 'terminated', state: 'TERMINATING' },
      termination: { code: 'DRIVER_UNREACHABLE', parameters: { error_message: 'no Python' } },
    });
  });

  test.each([
    ['IMAGE_FAILURE', 'DOCKER_IMAGE_PULL_FAILURE', 'CLIENT_ERROR'],
    ['NO_CAPACITY', 'CLOUD_PROVIDER_RESOURCE_STOCKOUT', 'CLOUD_FAILURE'],
  ])('%s has a name that clients know', (failureCode, code, type) => {
    const hosts = [{ ...died, failureCode, message: 'why' }];

    expect(decide({ state: 'PENDING', hosts })).toMatchObject({ termination: { code, type } });
  });

  test('it goes to another worker in a new generation when its own is gone', () => {
    expect(decide({ isWorkerThere: false, freeWorkerId: 'w2' })).toMatchObject({
      ...{ state: 'RESTARTING', workerId: 'w2', generation: 2 },
    });
    expect(decide({ isWorkerThere: false })).toMatchObject({ state: 'RESTARTING' });
    expect(decide({ isWorkerThere: false, state: 'RESTARTING' })).toBeNull();
  });

  test('it is terminated when no host is left, those of other principals and generations included', () => {
    const wanted = { wanted: 'terminated', state: 'TERMINATING' } as const;

    expect(decide({ ...wanted, hosts: [{ ...ownHost, hostKey: 'other-0' }] })).toBeNull();
    expect(decide({ ...wanted, hosts: [{ ...ownHost, isWorkerThere: false }] })).toMatchObject({
      state: 'TERMINATED',
    });
  });
});

const someHost = fc.record({
  hostKey: fc.constantFrom('k-1', 'k-2', 'other-1'),
  workerId: fc.constantFrom('w1', 'w2'),
  state: fc.constantFrom('starting', 'running', 'stopped', 'failed'),
  isWorkerThere: fc.boolean(),
  message: fc.constant('m'),
  failureCode: fc.constantFrom(null, 'START_FAILURE', 'INIT_SCRIPT_FAILURE', 'IMAGE_FAILURE'),
}) satisfies fc.Arbitrary<ClusterHost>;

const facts = fc.record({
  state: fc.constantFrom('PENDING', 'RUNNING', 'RESTARTING', 'RESIZING', 'TERMINATING', 'TERMINATED'),
  wanted: fc.constantFrom('running', 'terminated'),
  generation: fc.constantFrom(1, 2),
  workerId: fc.constantFrom(null, 'w1', 'w2'),
  isWorkerThere: fc.boolean(),
  ownHostKey: fc.constant('k-1'),
  hosts: fc.array(someHost, { maxLength: 4 }),
  isBusy: fc.boolean(),
  isResizeDue: fc.boolean(),
  activeAtMs: fc.constantFrom(0, nowMs),
  autoterminationMs: fc.constantFrom(null, 600_000),
  recentRecoveries: fc.integer({ min: 0, max: 5 }),
  freeWorkerId: fc.constantFrom(null, 'w1', 'w2'),
}) satisfies fc.Arbitrary<ClusterFacts>;

/** What the store makes of a move; hosts of a new generation are none yet. */
function apply(before: ClusterFacts, { news: _, ...move }: ClusterMove): ClusterFacts {
  const generation = move.generation ?? before.generation;
  return {
    ...before,
    ...move,
    isWorkerThere: move.workerId === undefined ? before.isWorkerThere : true,
    freeWorkerId: move.workerId === undefined ? before.freeWorkerId : null,
    ownHostKey: generation === before.generation ? before.ownHostKey : `k-${generation}`,
    hosts: generation === before.generation ? before.hosts : [],
    isResizeDue: generation === before.generation && before.isResizeDue,
    activeAtMs: move.state === 'RUNNING' ? nowMs : before.activeAtMs,
  };
}

test('whatever the facts, it comes to rest within a few moves, and never runs what nobody wants', () => {
  fc.assert(
    fc.property(facts, (first) => {
      let current: ClusterFacts = first;
      for (let moves = 0; moves < 5; moves += 1) {
        const move = decideCluster(current, nowMs);
        if (move === null) return;
        expect(move.generation ?? current.generation).toBeGreaterThanOrEqual(current.generation);
        if (current.wanted === 'terminated') expect(['TERMINATING', 'TERMINATED']).toContain(move.state);
        if (move.state === 'TERMINATED') expect(current.wanted).toBe('terminated');
        if (move.state === 'RESIZING') expect(current.isBusy).toBe(false);
        current = apply(current, move);
      }
      expect(decideCluster(current, nowMs)).toBeNull();
    }),
    { numRuns: 2_000 },
  );
});

test('the key of a host tells its generation', () => {
  expect([0, 1, 12].map((generation) => generationOf(toHostKey('0123456789abcdef', generation)))).toEqual([
    ...[0, 1, 12],
  ]);
  expect(toHostKey('abc', 0)).toBe('abc');
});
