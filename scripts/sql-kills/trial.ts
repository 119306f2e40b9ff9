/** Statements, and one kill of one process while they run; afterwards everything must be old or new, and be told so. */
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

const statementMsMax = 120_000;

/** All at the same time. */
export function playUndisturbed(
  stage: Stage,
  statements: readonly WritingStatement[],
): Promise<Undisturbed[]> {
  return Promise.all(statements.map((statement) => playOneUndisturbed(stage, statement)));
}

async function playOneUndisturbed(stage: Stage, statement: WritingStatement): Promise<Undisturbed> {
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
  /** At the same time; the first one says when the moment is. */
  readonly statements: readonly WritingStatement[];
  readonly victim: Victim;
  readonly moment: Moment;
  readonly number: number;
}

/** In the order of the statements. */
export async function playTrial(
  stage: Stage,
  { statements, victim, moment, number }: Trial,
  undisturbed: readonly Undisturbed[],
): Promise<Outcome[]> {
  const { server, warehouse } = stage;
  const pieces = statements.map((statement, index) =>
    pieceOf(stage, { statement, number }, undisturbed[index]),
  );
  await Promise.all(pieces.map(({ statement, schema }) => prepare(stage, statement, schema)));
  const commits = pieces.map(({ folder }) => findCommits(folder).length);
  const pid = victim === 'server' ? null : findVictim(server.stateDir, victim);

  const ids = await Promise.all(
    pieces.map(({ statement, schema }) => warehouse.begin(statement.text(`${catalog}.${schema}`))),
  );
  await warehouse.whenRunning(ids[0] ?? '');
  const { folder = '', undisturbed: { elapsedMs } = { elapsedMs: 0 } } = pieces[0] ?? {};
  await untilMoment({ moment, folder, commits: commits[0] ?? 0, elapsedMs });
  if (pid === null) await restartServer(stage);
  else process.kill(pid, 'SIGKILL');

  const ends = await Promise.all(ids.map((id) => warehouse.whenEnded(id)));
  const refusals = await findRefusals(warehouse, { ends, victim });
  const outcomes = await Promise.all(
    pieces.map((piece, index) => judge(stage, piece, { ended: ends[index], commits: commits[index] ?? 0 })),
  );
  return outcomes.map(({ violations, ...outcome }) => ({
    ...outcome,
    violations: [...refusals, ...violations],
  }));
}

interface Piece {
  readonly statement: WritingStatement;
  readonly schema: string;
  /** Of its tables. */
  readonly folder: string;
  readonly undisturbed: Undisturbed;
}

function pieceOf(
  stage: Stage,
  { statement, number }: { readonly statement: WritingStatement; readonly number: number },
  undisturbed: Undisturbed | undefined,
): Piece {
  if (!undisturbed) throw new Error(`how ${statement.name} goes is not known`);
  const schema = nameSchema(statement, String(number));
  return { statement, schema, folder: folderOf(stage, schema), undisturbed };
}

async function judge(
  stage: Stage,
  { statement, schema, folder, undisturbed }: Piece,
  { ended, commits }: { readonly ended: Ended | undefined; readonly commits: number },
): Promise<Outcome> {
  const { warehouse } = stage;
  if (!ended) throw new Error('bug: a statement without an end');
  const violations = findLies(ended);
  const untrue = await findUntrue(await warehouse.client(), schema);
  violations.push(...untrue.map((each) => `before the next statement ${each}`));
  const picture = await takePicture(warehouse, schema);
  const contents = picture === undisturbed.after ? 'new' : 'old';
  const hasChange = undisturbed.before !== undisturbed.after;
  if (contents === 'old' && picture !== undisturbed.before)
    violations.push(`neither old nor new: ${picture}`);
  if (contents === 'old' && ended.state === 'SUCCEEDED' && hasChange)
    violations.push('it is said to have succeeded, and has not');
  const made = findCommits(folder).length - commits;
  if (made > undisturbed.commits) violations.push(`${made} commits instead of ${undisturbed.commits}`);
  violations.push(...(await findUntrue(await warehouse.client(), schema)));
  const again = (await warehouse.look(ended.id)).status;
  if (again.state !== ended.state || (again.error?.message ?? '') !== ended.message)
    violations.push(`its end has changed to ${again.state}: ${again.error?.message}`);
  if (contents === 'old' && hasChange)
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
  { ends, victim }: { readonly ends: readonly Ended[]; readonly victim: Victim },
): Promise<string[]> {
  const isLate = victim !== 'server' && ends.every(({ state }) => state === 'SUCCEEDED');
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
  const again = await warehouse.run(statement.text(`${catalog}.${schema}`));
  if (again.state !== 'SUCCEEDED') return [`it cannot be repeated: ${again.message}`];
  const picture = await takePicture(warehouse, schema);
  return picture === undisturbed.after ? [] : [`repeated, it leaves ${picture}`];
}
