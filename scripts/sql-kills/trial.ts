/** One statement, and one kill of one process while it runs; afterwards everything must be old or new, and be told so. */
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { InstalledServer } from '../bench/installed-server.ts';
import { findCommits } from './delta-log.ts';
import { catalog, findUntrue, takePicture } from './picture.ts';
import type { WritingStatement } from './statements.ts';
import { findVictim, type Victim } from './victims.ts';
import type { Ended, Warehouse } from './warehouse.ts';

/** A share of the time that the statement takes undisturbed; or as soon as its commit stands. */
export type Moment = number | 'committed';

export interface Stage {
  readonly server: InstalledServer;
  readonly warehouse: Warehouse;
}

/** How a statement goes when nobody is killed. */
export interface Undisturbed {
  readonly before: string;
  readonly after: string;
  readonly elapsedMs: number;
  readonly commits: number;
}

export interface Outcome {
  readonly state: string;
  readonly message: string;
  readonly contents: 'old' | 'new';
  readonly violations: readonly string[];
}

const statementMsMax = 60_000;

export async function playUndisturbed(stage: Stage, statement: WritingStatement): Promise<Undisturbed> {
  const schema = nameSchema(statement, 'whole');
  await prepare(stage, statement, schema);
  const before = await takePicture(stage.warehouse, schema);
  const commits = findCommits(folderOf(stage, schema)).length;
  const id = await stage.warehouse.begin(statement.text(`${catalog}.${schema}`));
  await stage.warehouse.whenRunning(id);
  const begunMs = performance.now();
  const { state, message } = await stage.warehouse.whenEnded(id);
  const elapsedMs = performance.now() - begunMs;
  if (state !== 'SUCCEEDED') throw new Error(`${statement.name} is ${state}: ${message}`);
  const after = await takePicture(stage.warehouse, schema);
  const made = findCommits(folderOf(stage, schema)).length - commits;
  return { before, after, elapsedMs, commits: made };
}

export interface Trial {
  readonly statement: WritingStatement;
  readonly victim: Victim;
  readonly moment: Moment;
  readonly number: number;
}

export async function playTrial(
  stage: Stage,
  { statement, victim, moment, number }: Trial,
  undisturbed: Undisturbed,
): Promise<Outcome> {
  const { server, warehouse } = stage;
  const schema = nameSchema(statement, String(number));
  await prepare(stage, statement, schema);
  const folder = folderOf(stage, schema);
  const commits = findCommits(folder).length;
  const pid = victim === 'server' ? null : findVictim(server.stateDir, victim);

  const id = await warehouse.begin(statement.text(`${catalog}.${schema}`));
  await warehouse.whenRunning(id);
  await untilMoment({ moment, folder, commits, elapsedMs: undisturbed.elapsedMs });
  if (pid === null) await restartServer(stage);
  else process.kill(pid, 'SIGKILL');

  const ended = await warehouse.whenEnded(id);
  const violations = [...findLies(ended), ...(await findRefusals(warehouse, { ended, victim }))];
  const untrue = await findUntrue(await warehouse.client(), schema);
  violations.push(...untrue.map((each) => `before the next statement ${each}`));
  const picture = await takePicture(warehouse, schema);
  const contents = picture === undisturbed.after ? 'new' : 'old';
  if (contents === 'old' && picture !== undisturbed.before)
    violations.push(`neither old nor new: ${picture}`);
  if (contents === 'old' && ended.state === 'SUCCEEDED' && undisturbed.before !== undisturbed.after)
    violations.push('it is said to have succeeded, and has not');
  const made = findCommits(folder).length - commits;
  if (made > undisturbed.commits) violations.push(`${made} commits instead of ${undisturbed.commits}`);
  violations.push(...(await findUntrue(await warehouse.client(), schema)));
  const again = (await warehouse.look(id)).status;
  if (again.state !== ended.state || (again.error?.message ?? '') !== ended.message)
    violations.push(`its end has changed to ${again.state}: ${again.error?.message}`);
  if (contents === 'old')
    violations.push(...(await findIncurable(stage, { statement, schema, undisturbed })));
  return { state: ended.state, message: ended.message, contents, violations };
}

async function restartServer({ server, warehouse }: Stage): Promise<void> {
  await server.kill();
  warehouse.forgetClient();
  await server.up();
}

function nameSchema({ name }: WritingStatement, suffix: string): string {
  return `kill_${name.replaceAll('-', '_')}_${suffix}`;
}

function folderOf({ server }: Stage, schema: string): string {
  return path.join(server.stateDir, 'data', 'managed', catalog, schema);
}

async function prepare({ warehouse }: Stage, { prepare: more }: WritingStatement, schema: string) {
  const place = `${catalog}.${schema}`;
  await warehouse.ask(`create schema ${place}`);
  await warehouse.ask(`create table ${place}.t as select id, 'old' as v from range(3)`);
  for (const statement of more?.(place) ?? []) await warehouse.ask(statement);
}

async function untilMoment({
  moment,
  folder,
  commits,
  elapsedMs,
}: {
  readonly moment: Moment;
  readonly folder: string;
  readonly commits: number;
  readonly elapsedMs: number;
}): Promise<void> {
  if (moment !== 'committed') {
    await delay(moment * elapsedMs);
    return;
  }
  const deadlineMs = performance.now() + statementMsMax;
  while (findCommits(folder).length === commits) {
    if (performance.now() > deadlineMs) throw new Error(`no commit in ${folder}`);
    // As soon as it is there: what follows takes milliseconds.
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function findLies({ state, message }: Ended): string[] {
  if (state === 'SUCCEEDED') return [];
  if (state === 'FAILED' && message.includes('may be there')) return [];
  return [`${state} without a word of what it may have written: '${message}'`];
}

/** The next statement runs; of a process that was killed after the end of its statement the server may not have heard yet. */
async function findRefusals(
  warehouse: Warehouse,
  { ended, victim }: { readonly ended: Ended; readonly victim: Victim },
): Promise<string[]> {
  const isLate = victim !== 'server' && ended.state === 'SUCCEEDED';
  for (let triesLeft = isLate ? 1 : 0; ; triesLeft -= 1) {
    const next = await warehouse.run('select 1');
    if (next.state === 'SUCCEEDED') return [];
    if (triesLeft === 0) return [`the next statement is ${next.state}: ${next.message}`];
  }
}

/** Whoever repeats it then must succeed. */
async function findIncurable(
  { warehouse }: Stage,
  {
    statement,
    schema,
    undisturbed,
  }: { readonly statement: WritingStatement; readonly schema: string; readonly undisturbed: Undisturbed },
): Promise<string[]> {
  if (undisturbed.before === undisturbed.after) return [];
  const again = await warehouse.run(statement.text(`${catalog}.${schema}`));
  if (again.state !== 'SUCCEEDED') return [`it cannot be repeated: ${again.message}`];
  const picture = await takePicture(warehouse, schema);
  return picture === undisturbed.after ? [] : [`repeated, it leaves ${picture}`];
}
