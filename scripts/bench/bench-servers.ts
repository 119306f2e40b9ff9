/**
 * Three servers over one PostgreSQL against one, on the same cores, slots and disk: what sharing the work costs. Both
 * groups are there all the time, each with a database of its own, and take turns.
 */
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { pino } from 'pino';
import { startEmbeddedPostgres } from '../../packages/server/src/store/embedded-postgres.ts';
import { endWhenInterrupted } from './interruption.ts';
import { readTreeCpuMs } from './process-cost.ts';
import { chainOf } from './sample-jobs.ts';
import { type ServerGroup, startServerGroup } from './server-processes.ts';
import { asRatio, describeLoad, inMs, median, printRow, printShare, timed } from './statistics.ts';

const servers = 3;
const slots = 120;
const runs = 300;
const chainLength = 5;
const submittersAtOnce = 60;
/** Each process compiles by itself: three need three times as long until they are warm. */
const warmUps = 25;
const turns = 9;
const shareMin = 0.9;
const endPollMs = 10;
const endWaitMs = 120_000;

interface Group extends ServerGroup {
  readonly db: pg.Client;
  readonly postgresPid: number;
}

interface Turn {
  readonly elapsedMs: number;
  /** Of the servers and PostgreSQL. */
  readonly cpuMs: number;
}

export async function benchServers(): Promise<void> {
  if (process.platform !== 'linux') return console.log('skipped: needs the /proc of Linux');
  const folder = await fs.mkdtemp(path.join(os.tmpdir(), 'headrace-bench-'));
  // PostgreSQL runs as another user when this runs as root.
  await fs.chmod(folder, 0o711);
  const log = pino({ level: 'error' });
  const starting = startEmbeddedPostgres({ folder: path.join(folder, 'postgres'), log });
  const groups: Group[] = [];
  const clearUp = async () => {
    for (const { stop, db } of groups) {
      await stop();
      await db.end();
    }
    await starting.then((postgres) => postgres.stop()).catch(() => {}); // whoever waits for it is told
    await fs.rm(folder, { recursive: true, force: true });
  };
  const forgetClearUp = endWhenInterrupted(clearUp);
  try {
    const postgres = await starting;
    const open = async (count: number) => {
      const postgresPid = postgres.pid() ?? 0;
      const group = await openGroup(count, { folder, connection: postgres.connection });
      groups.push({ ...group, postgresPid });
      return { ...group, postgresPid };
    };
    await compare(await open(1), await open(servers));
  } finally {
    forgetClearUp();
    await clearUp();
  }
}

async function openGroup(
  count: number,
  { folder, connection }: { readonly folder: string; readonly connection: pg.ClientConfig },
): Promise<Omit<Group, 'postgresPid'>> {
  const database = `of_${count}`;
  const admin = new pg.Client(connection);
  await admin.connect();
  await admin.query(`create database ${database}`);
  await admin.end();
  const { user, password, host, port } = connection;
  const group = await startServerGroup({
    folder: path.join(folder, database),
    databaseUrl: `postgres://${user}:${password}@${host}:${port}/${database}`,
    count,
    slots: slots / count,
  });
  const db = new pg.Client({ ...connection, database });
  await db.connect();
  return { ...group, db };
}

async function compare(one: Group, several: Group): Promise<void> {
  for (let turn = 0; turn < warmUps; turn++) {
    await takeTurn(one);
    await takeTurn(several);
  }
  const ofOne: Turn[] = [];
  const ofSeveral: Turn[] = [];
  for (let turn = 0; turn < turns; turn++) {
    ofOne.push(await takeTurn(one));
    ofSeveral.push(await takeTurn(several));
  }
  printRow('load at the end of it', describeLoad(), '');
  printTurns('one server', ofOne);
  printTurns(`${servers} servers`, ofSeveral);
  const ratio = (part: keyof Turn) =>
    median(ofOne.map((turn, at) => turn[part] / (ofSeveral[at]?.[part] ?? 0)));
  // Smaller batches, so more commits. Where cores are idle they cost nothing; where others want them as well, several
  // processes are given more of them than one, and the throughput says too much.
  printRow('attempts for a second of CPU, against one', asRatio(ratio('cpuMs')), '');
  printShare({ what: `throughput of ${servers}, against one`, value: ratio('elapsedMs'), target: shareMin });
}

function printTurns(what: string, of: readonly Turn[]): void {
  const perSecond = (runs * chainLength * 1000) / median(of.map(({ elapsedMs }) => elapsedMs));
  printRow(`${runs} runs of ${chainLength}, ${what}: attempts`, `${perSecond.toFixed(0)}/s`, '');
  const cpuMs = median(of.map((turn) => turn.cpuMs)) / (runs * chainLength);
  printRow(`CPU of an attempt, ${what} and PostgreSQL`, inMs(cpuMs), '');
}

async function takeTurn(group: Group): Promise<Turn> {
  const readCpuMs = () =>
    [group.postgresPid, ...group.pids].reduce((sum, pid) => sum + readTreeCpuMs(pid), 0);
  const before = readCpuMs();
  const elapsedMs = await timed(() => endRuns(group));
  return { elapsedMs, cpuMs: readCpuMs() - before };
}

/** From the first request to the end of the last run. */
async function endRuns({ clients, db }: Group): Promise<void> {
  let submitted = 0;
  const submit = async () => {
    while (submitted < runs) {
      submitted += 1;
      const client = clients[submitted % clients.length];
      await client?.runsSubmit({ run_name: 'bench', tasks: chainOf(chainLength) });
    }
  };
  await Promise.all(Array.from({ length: submittersAtOnce }, submit));
  const deadline = performance.now() + endWaitMs;
  while (await hasActive(db)) {
    if (performance.now() > deadline) throw new Error('the runs do not end');
    await delay(endPollMs);
  }
}

async function hasActive(db: pg.Client): Promise<boolean> {
  const { rowCount } = await db.query(`select from runs where phase <> 'ended' limit 1`);
  return rowCount !== 0;
}
