/** An AttemptSource in memory, for tests: a queue, and a record of what was reported. */
import { toAttemptId, toRunId } from '@headrace/core';
import type { FakeBehaviour } from '../hosts/fake/fake-script.ts';
import type { WorkerLog } from '../log.ts';
import type {
  AttemptReport,
  AttemptSource,
  ClaimedAttempt,
  ClusterAssignment,
  HostReport,
  ResumedAttempt,
  StopRequest,
  WorkKind,
} from '../ports.ts';

export interface MemorySource extends AttemptSource {
  readonly reports: AttemptReport[];
  readonly hostReports: HostReport[];
  readonly released: number[];
  resumed: ResumedAttempt[];
  /** Called in the commit of each report. */
  onReport: (report: AttemptReport) => void;
  offer(...attempts: ClaimedAttempt[]): void;
  stop(request: StopRequest): void;
  /** With the next heartbeat, once. */
  orderHosts(...start: ClusterAssignment[]): void;
  failNext(times: number): void;
  /** The next claim is offered, and then its commit fails. */
  failNextClaim(): void;
  /** The report of this kind, awaited. */
  reported<Kind extends AttemptReport['kind']>(
    attemptId: number,
    kind: Kind,
  ): Promise<Extract<AttemptReport, { kind: Kind }>>;
}

export function createMemorySource(): MemorySource {
  const queue: ClaimedAttempt[] = [];
  const stops: StopRequest[] = [];
  const starts: ClusterAssignment[] = [];
  let failures = 0;
  let isClaimToFail = false;
  const wakes = new Set<() => void>();
  const wakeAll = () => [...wakes].map((wake) => wake());
  const until = async (condition: () => boolean, signal: AbortSignal | null) => {
    while (!condition() && signal?.aborted !== true) {
      await new Promise<void>((resolve) => {
        const wake = () => {
          wakes.delete(wake);
          signal?.removeEventListener('abort', wake);
          resolve();
        };
        wakes.add(wake);
        signal?.addEventListener('abort', wake);
      });
    }
  };
  const source: MemorySource = {
    reports: [],
    hostReports: [],
    released: [],
    resumed: [],
    onReport: () => undefined,
    offer(...attempts) {
      queue.push(...attempts);
      wakeAll();
    },
    stop(request) {
      stops.push(request);
      wakeAll();
    },
    orderHosts(...start) {
      starts.push(...start);
      wakeAll();
    },
    failNext(times) {
      failures = times;
    },
    failNextClaim() {
      isClaimToFail = true;
    },
    async reported(attemptId, kind) {
      const find = () =>
        source.reports.find((report) => report.attemptId === attemptId && report.kind === kind);
      await until(() => find() !== undefined, null);
      // Found by its kind.
      return find() as never;
    },
    register: () => Promise.resolve(source.resumed),
    async claim({ work, freeSlots, prepare, signal }) {
      await until(() => queue.some(isOfKind(work)) && freeSlots() > 0, signal);
      if (signal.aborted) return [];
      const claimed = takeFrom(queue, { work, count: freeSlots() });
      prepare(claimed);
      // The commit.
      await new Promise((resolve) => setImmediate(resolve));
      if (isClaimToFail) {
        isClaimToFail = false;
        throw new Error('the claim was not recorded');
      }
      return claimed;
    },
    async heartbeat({ signal }) {
      await until(() => stops.length + starts.length > 0, signal);
      return { stop: stops.splice(0), gone: [], orders: { start: starts.splice(0), stop: [] } };
    },
    async report(_workerId, reports) {
      if (failures > 0) {
        failures -= 1;
        throw new Error('the database is away');
      }
      source.reports.push(...reports);
      reports.forEach(source.onReport);
      wakeAll();
      // The commit: the claim that it makes possible resolves first.
      await new Promise((resolve) => setTimeout(resolve, 5));
    },
    async reportHost(_workerId, report) {
      source.hostReports.push(report);
      wakeAll();
    },
    release: async (_workerId, refs) => void source.released.push(...refs.map(({ attemptId }) => attemptId)),
  };
  return source;
}

function takeFrom(
  queue: ClaimedAttempt[],
  { work, count }: { readonly work: WorkKind | undefined; readonly count: number },
): ClaimedAttempt[] {
  const taken = queue.filter(isOfKind(work)).slice(0, count);
  for (const attempt of taken) queue.splice(queue.indexOf(attempt), 1);
  return taken;
}

const isOfKind =
  (work: WorkKind = 'tasks') =>
  ({ document }: ClaimedAttempt) =>
    (document.task.kind === 'sql_endpoint') === (work === 'sql_endpoints');

export const silentLog: WorkerLog = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: (fields, message) => console.error(message, fields),
};

export function aCluster(overrides: Partial<ClusterAssignment> = {}): ClusterAssignment {
  return {
    clusterId: 'default',
    clusterName: 'default',
    hostKey: 'default',
    sparkConf: {},
    environment: {},
    idleMs: null,
    ...overrides,
  };
}

let nextAttemptId = 1;

export function anAttempt(
  dataRoot: string,
  behaviour: FakeBehaviour | { readonly parameters: readonly string[] },
  overrides: Partial<ClaimedAttempt> = {},
): ClaimedAttempt {
  const attemptId = overrides.attemptId ?? toAttemptId(nextAttemptId++);
  const parameters =
    'parameters' in behaviour ? behaviour.parameters : [`--fake=${JSON.stringify(behaviour)}`];
  const cluster = overrides.cluster ?? aCluster();
  return {
    attemptId,
    epoch: 1,
    runId: toRunId(7),
    taskKey: 'load',
    cluster,
    document: {
      version: 1,
      attempt_id: attemptId,
      epoch: overrides.epoch ?? 1,
      run_id: 7,
      job_id: null,
      job_name: 'a job',
      task_key: 'load',
      attempt_number: 0,
      task: { kind: 'spark_python', python_file: '/task.py', parameters },
      libraries: [],
      task_values: {},
      spark: { catalogs: [], default_catalog: 'spark_catalog', conf: {} },
      api: { url: 'http://127.0.0.1:1', token: 'none' },
      data_root: dataRoot,
      principal: 'someone@example.com',
      cluster_id: cluster.clusterId,
      limits: {
        log_bytes_max: 1_000_000,
        task_value_bytes_max: 48 * 1024,
        exit_value_bytes_max: 1024 * 1024,
      },
    },
    ...overrides,
  };
}
