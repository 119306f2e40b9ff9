/** One round: peace, trouble for as long as was asked, healing, the end of all runs, and what must hold then. */
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createClient } from '@headrace/api';
import { pino } from 'pino';
import { Random, seedOfHistory } from '../../packages/core/src/simulation/random.ts';
import { connectDatabase, type Database } from '../../packages/server/src/db/connect.ts';
import { waitUntil } from '../../test/support/census.ts';
import { type Evidence, findViolations, type MachineFreeze, type Violation } from './checks.ts';
import { createPatientClient } from './client.ts';
import { readDiary } from './diary.ts';
import { healAll } from './faults.ts';
import { type Incident, IncidentLog } from './incident-log.ts';
import { startInflicting } from './inflict.ts';
import { listProcesses } from './processes.ts';
import { findBrokenRuns, type RunEventRow, readHistory, readStore, type StoredRuns } from './read-store.ts';
import { makeJobs, startWorkload } from './workload.ts';
import { isReady, openWorld, type World } from './world.ts';

export interface ChaosOptions {
  readonly seed: number;
  readonly durationMs: number;
  readonly say: (line: string) => void;
}

export interface ChaosResult {
  readonly folder: string;
  readonly faults: ReadonlyMap<string, number>;
  readonly evidence: Evidence;
  readonly waits: StoredRuns['waits'];
  readonly settledMs: number;
  readonly repeats: number;
  readonly incidents: readonly Incident[];
  readonly violations: readonly Violation[];
  /** Of the runs that violations name. */
  readonly histories: ReadonlyMap<number, readonly RunEventRow[]>;
  /** Nothing is left of the folder either. */
  removeFolder(): void;
}

const taskProgram = fileURLToPath(new URL('./task.py', import.meta.url));
/** So long nothing at all may happen while runs are open: beyond every lease, time-out, retry and back-off of the workload. */
const stillMs = 120_000;
/** What has piled up is worked off by then. */
const settleMs = 1_200_000;
const readyMs = 120_000;
const censusMs = 45_000;
const lookMs = 500;
const peace = 'peace';
/** A start that fell into the last of the trouble. */
const startS = 5;
/** Both streams come from one seed and do not disturb each other. */
const streams = { workload: 1, faults: 2 };

export async function runChaos(options: ChaosOptions): Promise<ChaosResult> {
  const { seed, durationMs, say } = options;
  const log = new IncidentLog(({ kind, what }) => say(`${new Date().toISOString()} ${kind}: ${what}`));
  const world = await openWorld(log);
  say(`seed ${seed}, folder ${world.folder}`);
  try {
    const freezes: MachineFreeze[] = [];
    const client = createPatientClient(
      world.servers.map(({ url }) => url),
      world.token,
    );
    const random = new Random(seedOfHistory(seed, streams.workload));
    const maker = { random, pythonFile: taskProgram, diaryFile: world.diaryFile };
    const jobs = await makeJobs(client, maker);
    const workload = startWorkload(client, jobs, maker);
    const trouble = startInflicting({ world, log, freezes }, new Random(seedOfHistory(seed, streams.faults)));
    await delay(durationMs);
    await trouble.stop();
    await healAll(world);
    log.note(peace, 'everything is healed');
    await workload.stop();
    const done = await finish({ world, log, freezes, ...workload });
    const { counts, failures } = trouble;
    return {
      ...done,
      ...{ folder: world.folder, faults: counts, incidents: log.incidents, repeats: client.repeats },
      violations: [
        ...done.violations,
        ...client.violations,
        ...workload.violations,
        ...toViolations('harness', failures),
        ...findSelfEnds(log.incidents),
      ],
      removeFolder: world.removeFolder,
    };
  } finally {
    world.destroy();
  }
}

interface Finishing {
  readonly world: World;
  readonly log: IncidentLog;
  readonly freezes: readonly MachineFreeze[];
  readonly tokens: Evidence['tokens'];
  readonly repairs: Evidence['repairs'];
}

type Finished = Pick<ChaosResult, 'evidence' | 'waits' | 'settledMs' | 'histories' | 'violations'>;

async function finish({ world, log, freezes, tokens, repairs }: Finishing): Promise<Finished> {
  const database = connectDatabase({ connection: world.postgres.url, log: pino({ level: 'silent' }) });
  const startedAt = performance.now();
  await waitForEnds(database, log);
  const settledMs = Math.round(performance.now() - startedAt);
  const doctor = await askDoctors(world);
  const { waits, ...stored } = await readStore(database);
  const diary = readDiary(world.diaryFile);
  const evidence = { ...stored, diary, freezes, tokens, repairs };
  const broken = await findBrokenRuns(database, stored.runs);
  const found = [...findViolations(evidence), ...broken, ...doctor];
  const histories = new Map<number, readonly RunEventRow[]>();
  for (const { runId } of found) {
    if (runId !== null && !histories.has(runId)) histories.set(runId, await readHistory(database, runId));
  }
  await database.close();
  await world.stop();
  return { evidence, waits, settledMs, histories, violations: [...found, ...(await takeCensus(world))] };
}

const openQuery = `
select (select count(*) from runs where phase <> 'ended')
     + (select count(*) from task_runs where state <> 'ended') as open,
  (select coalesce(max(run_event_id), 0) from run_events) as event`;

/** A backlog takes its time; what stands still is stuck. */
async function waitForEnds({ pool }: Database, log: IncidentLog): Promise<void> {
  const deadline = performance.now() + settleMs;
  let last = { event: -1, at: performance.now() };
  while (performance.now() < deadline && performance.now() < last.at + stillMs) {
    // A backend that was killed at the last moment takes the others with it.
    const [state] = await pool.query<{ open: number; event: number }>(openQuery).then(
      ({ rows }) => rows,
      () => [],
    );
    const { open = 1, event = last.event } = state ?? {};
    if (open === 0) return;
    if (event !== last.event) last = { event, at: performance.now() };
    await delay(lookMs);
  }
  log.note('stuck', `runs are open, the last news was ${Math.round(performance.now() - last.at)} ms ago`);
}

/** Each server looks by itself: some rules are about its own memory. */
async function askDoctors({ servers, token }: World): Promise<Violation[]> {
  const found: Violation[] = [];
  for (const server of servers) {
    await waitUntil(`${server.url} is ready`, () => isReady(server), readyMs);
    const { findings } = await createClient({ baseUrl: server.url, token }).doctor({ deep: true });
    for (const { kind, severity, message, run_id } of findings) {
      const told = `${severity} ${kind}: ${message}`;
      found.push({ check: 'doctor', runId: run_id ?? null, atS: null, message: told });
    }
  }
  return found;
}

async function takeCensus({ folder }: World): Promise<Violation[]> {
  // The guard of the harness itself names the folder too.
  const left = () => listProcesses(folder).filter(({ command }) => !command.startsWith('/bin/sh -c'));
  await waitUntil('nothing is left', () => left().length === 0, censusMs).catch(() => {});
  return toViolations(
    'census',
    left().map(({ pid, command }) => `process ${pid} is left: ${command.slice(0, 200)}`),
  );
}

/** In peace nothing may refuse to start either. */
function findSelfEnds(incidents: readonly Incident[]): Violation[] {
  const peaceAtS = incidents.find(({ kind }) => kind === peace)?.atS ?? Number.POSITIVE_INFINITY;
  return incidents
    .filter(({ kind, atS }) => kind === 'self-end' || (kind === 'start refused' && atS > peaceAtS + startS))
    .map(({ what, atS }) => ({ check: 'processes', runId: null, atS, message: what }));
}

function toViolations(check: string, messages: readonly string[]): Violation[] {
  return messages.map((message) => ({ check, runId: null, atS: null, message }));
}
