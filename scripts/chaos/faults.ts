/**
 * What is done to whom. A fault takes its targets for itself until it has healed, so that no two together are more than
 * docs/guarantees.md and docs/workers.md promise to survive: of a worker and its guard one lives, or none.
 */
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Random } from '../../packages/core/src/simulation/random.ts';
import type { MachineFreeze } from './checks.ts';
import { type IncidentLog, monotonicS } from './incident-log.ts';
import { isRunning, listProcesses, type SeenProcess, sendSignal } from './processes.ts';
import { type ChaosServer, type ChaosWorker, leaseMs, type World } from './world.ts';

export interface FaultContext {
  readonly world: World;
  readonly log: IncidentLog;
  readonly freezes: MachineFreeze[];
}

export interface Fault {
  readonly kind: string;
  /** Of its kind, among all. */
  readonly weight: number;
  /** Draws what is needed from the seed, at once and always the same number of times. */
  draw(random: Random, world: World): DrawnFault;
}

export interface DrawnFault {
  /** Nobody else may touch them meanwhile. */
  readonly targets: readonly string[];
  readonly what: string;
  /** Resolves when all is well again; false when there was nothing to break. */
  inflict(context: FaultContext): Promise<boolean>;
}

const drainWaitMs = 60_000;
const guardWaitMs = 15_000;

/** Mostly moments; now and then longer than any lease. */
function drawPauseMs(random: Random): number {
  const [short, long] = [random.between(0, 3_500), leaseMs + random.between(1_000, 5_000)];
  return random.chance(0.3) ? long : short;
}

export const faults: readonly Fault[] = [
  onServer('server killed', 4, async (server, pauseMs) => {
    await server.process.end('SIGKILL');
    await delay(pauseMs);
    server.process.start();
  }),
  onServer('server frozen', 3, async ({ process: server }, pauseMs) => freezeChild(server, pauseMs)),
  onServer('server restarted', 2, async (server, pauseMs) => {
    await endInOrder(server.process);
    await delay(pauseMs);
    server.process.start();
  }),
  onWorker('worker killed', 4, ['process'], async ({ process: worker }, pauseMs) => {
    await worker.end('SIGKILL');
    await delay(pauseMs);
    worker.start();
  }),
  onWorker('worker frozen', 3, ['process'], async ({ process: worker }, pauseMs) =>
    freezeChild(worker, pauseMs),
  ),
  onWorker('worker restarted', 2, ['process'], async ({ process: worker }, pauseMs) => {
    await endInOrder(worker);
    await delay(pauseMs);
    worker.start();
  }),
  onWorker('worker cut off', 4, ['network'], async ({ proxies }, pauseMs) => {
    for (const proxy of proxies) proxy.cut();
    await delay(pauseMs);
    for (const proxy of proxies) proxy.heal();
  }),
  onWorker('guard killed', 2, ['process'], killGuard),
  onWorker('guard frozen', 1, ['process'], async (worker, pauseMs) => {
    const guard = findGuard(worker);
    return guard === null ? false : freeze([guard.pid], pauseMs);
  }),
  onWorker('machine dead', 2, ['process', 'hosts', 'network'], async ({ process: worker }, pauseMs) => {
    stopAll(worker.stateDir);
    const gone = worker.end('SIGKILL');
    for (const { pid } of listProcesses(worker.stateDir)) sendSignal(pid, 'SIGKILL');
    await gone;
    await delay(pauseMs);
    worker.start();
  }),
  onWorker('machine frozen', 3, ['process', 'hosts', 'network'], freezeMachine),
  onHost('host killed', 3, (host) => sendSignal(host.pid, 'SIGKILL')),
  onHost('host frozen', 2, (host, pauseMs) => freeze([host.pid], pauseMs)),
  onHost('zygote killed', 1, (host, _, ofHost) => {
    const zygote = ofHost.find(({ parentPid }) => parentPid === host.pid);
    return zygote !== undefined && sendSignal(zygote.pid, 'SIGKILL');
  }),
  onTask('task killed', 3, (task) => sendSignal(task.pid, 'SIGKILL')),
  onTask('task frozen', 2, (task, pauseMs) => freeze([task.pid], pauseMs)),
  onPostgres('PostgreSQL killed', 2, async ({ world: { postgres } }, random) => {
    await postgres.kill();
    await delay(random * 8_000);
    await postgres.start();
  }),
  onPostgres('PostgreSQL frozen', 2, ({ world: { postgres } }, random) =>
    freeze(postgres.pids(), random * 8_000),
  ),
  onPostgres('backend killed', 1, ({ world: { postgres } }, random) => {
    const backends = postgres.pids().slice(1);
    return sendSignal(backends[Math.floor(random * backends.length)] ?? 0, 'SIGKILL');
  }),
  // As pg_terminate_backend does it.
  onPostgres('backend ended', 3, ({ world: { postgres } }, random) => {
    const backends = postgres.pids().slice(1);
    return sendSignal(backends[Math.floor(random * backends.length)] ?? 0, 'SIGTERM');
  }),
];

/** False when there was nothing to break. */
type Inflicted = unknown;

function onServer(
  kind: string,
  weight: number,
  inflict: (server: ChaosServer, pauseMs: number) => Inflicted,
): Fault {
  return {
    ...{ kind, weight },
    draw(random, { servers }) {
      const [server, pauseMs] = [random.pick(servers), drawPauseMs(random)];
      const { name } = server.process;
      return {
        targets: [`${name} process`, `${name} hosts`],
        what: `${name}, ${pauseMs} ms`,
        inflict: async () => (await inflict(server, pauseMs)) !== false,
      };
    },
  };
}

function onWorker(
  kind: string,
  weight: number,
  parts: readonly ('process' | 'hosts' | 'network')[],
  inflict: (worker: ChaosWorker, pauseMs: number, context: FaultContext) => Inflicted,
): Fault {
  return {
    ...{ kind, weight },
    draw(random, { workers }) {
      const [worker, pauseMs] = [random.pick(workers), drawPauseMs(random)];
      const { name } = worker.process;
      return {
        targets: parts.map((part) => `${name} ${part}`),
        what: `${name}, ${pauseMs} ms`,
        inflict: async (context) => (await inflict(worker, pauseMs, context)) !== false,
      };
    },
  };
}

/** The second server has no worker. */
function hostOwners({ workers, servers }: World): readonly (ChaosServer | ChaosWorker)[] {
  return [...workers, ...servers.slice(0, 1)];
}

function onHost(
  kind: string,
  weight: number,
  inflict: (host: SeenProcess, pauseMs: number, ofHost: readonly SeenProcess[]) => Inflicted,
): Fault {
  return {
    ...{ kind, weight },
    draw(random, world) {
      const [{ process: owner }, pauseMs] = [random.pick(hostOwners(world)), drawPauseMs(random)];
      return {
        targets: [`${owner.name} hosts`],
        what: `of ${owner.name}, ${pauseMs} ms`,
        async inflict() {
          const ofHosts = listHosted(owner.stateDir);
          const host = ofHosts.find(isHost);
          if (host === undefined) return false;
          return (await inflict(host, pauseMs, ofHosts)) !== false;
        },
      };
    },
  };
}

function onTask(
  kind: string,
  weight: number,
  inflict: (task: SeenProcess, pauseMs: number) => Inflicted,
): Fault {
  return {
    ...{ kind, weight },
    draw(random, world) {
      const [{ process: owner }, pauseMs] = [random.pick(hostOwners(world)), drawPauseMs(random)];
      const at = random.next();
      return {
        targets: [`${owner.name} hosts`],
        what: `of ${owner.name}, ${pauseMs} ms`,
        async inflict() {
          const tasks = findTasks(owner.stateDir);
          const task = tasks[Math.floor(at * tasks.length)];
          if (task === undefined) return false;
          return (await inflict(task, pauseMs)) !== false;
        },
      };
    },
  };
}

function onPostgres(
  kind: string,
  weight: number,
  inflict: (context: FaultContext, drawn: number) => Inflicted,
): Fault {
  return {
    ...{ kind, weight },
    draw(random) {
      const drawn = random.next();
      return {
        targets: ['PostgreSQL'],
        what: drawn.toFixed(2),
        inflict: async (context) => (await inflict(context, drawn)) !== false,
      };
    },
  };
}

async function endInOrder(supervised: ChaosServer['process']): Promise<void> {
  const late = setTimeout(() => supervised.signal('SIGKILL'), drainWaitMs);
  await supervised.end('SIGTERM');
  clearTimeout(late);
}

function freezeChild({ pid }: ChaosServer['process'], pauseMs: number): Promise<boolean> {
  return pid === null ? Promise.resolve(false) : freeze([pid], pauseMs);
}

async function freeze(pids: readonly number[], pauseMs: number): Promise<boolean> {
  const frozen = pids.filter((pid) => sendSignal(pid, 'SIGSTOP'));
  await delay(pauseMs);
  for (const pid of frozen) sendSignal(pid, 'SIGCONT');
  return frozen.length > 0;
}

function findGuard({ process: { stateDir } }: ChaosWorker): SeenProcess | null {
  return listProcesses(stateDir).find(({ command }) => command.includes('lease-guard.')) ?? null;
}

/** Until its worker has made another, the worker is not touched. */
async function killGuard(worker: ChaosWorker): Promise<boolean> {
  const guard = findGuard(worker);
  if (guard === null) return false;
  sendSignal(guard.pid, 'SIGKILL');
  const deadline = performance.now() + guardWaitMs;
  for (let next = findGuard(worker); next === null || next.pid === guard.pid; next = findGuard(worker)) {
    if (performance.now() > deadline) return true;
    await delay(100);
  }
  return true;
}

async function freezeMachine(worker: ChaosWorker, pauseMs: number, context: FaultContext): Promise<boolean> {
  const { stateDir, name } = worker.process;
  const fromS = monotonicS();
  const frozen = stopAll(stateDir);
  await delay(pauseMs);
  for (const pid of frozen) sendSignal(pid, 'SIGCONT');
  context.freezes.push({ worker: name, fromS, toS: monotonicS() });
  return frozen.size > 0;
}

/** Again until nobody is left who could have made another. */
function stopAll(folder: string): Set<number> {
  const stopped = new Set<number>();
  for (;;) {
    const fresh = listProcesses(folder).filter(({ pid }) => !stopped.has(pid));
    if (fresh.length === 0) return stopped;
    for (const { pid } of fresh) {
      sendSignal(pid, 'SIGSTOP');
      stopped.add(pid);
    }
  }
}

function listHosted(stateDir: string): SeenProcess[] {
  const hosts = path.join(stateDir, 'hosts');
  return listProcesses(stateDir).filter(({ hostFolder }) => hostFolder?.startsWith(hosts) ?? false);
}

/** Its zygote has the same command line: a fork. */
function isHost({ command, parentPid }: SeenProcess, _: number, all: readonly SeenProcess[]): boolean {
  return command.includes('headrace_runtime.host') && !all.some(({ pid }) => pid === parentPid);
}

/** What the zygote has forked: neither it nor the host. */
function findTasks(stateDir: string): SeenProcess[] {
  const hosted = listHosted(stateDir);
  const host = hosted.find(isHost);
  const zygotes = hosted.filter(({ parentPid }) => parentPid === host?.pid);
  return hosted.filter(({ parentPid }) => zygotes.some(({ pid }) => pid === parentPid));
}

/** What a fault may have left frozen or away. */
export async function healAll({ servers, workers, postgres, folder }: World): Promise<void> {
  for (const pid of postgres.pids()) sendSignal(pid, 'SIGCONT');
  for (const { pid } of listProcesses(folder)) if (isRunning(pid)) sendSignal(pid, 'SIGCONT');
  for (const { proxies } of workers) for (const proxy of proxies) proxy.heal();
  for (const { process: each } of [...servers, ...workers]) each.start();
}
