/** Kills one after the other on one server, each under a statement of its own. */
import type { InstalledServer } from '../bench/installed-server.ts';
import { type WritingStatement, writingStatements } from './statements.ts';
import { type Moment, playTrial, playUndisturbed, type Stage, type Undisturbed } from './trial.ts';
import { type Victim, victims } from './victims.ts';
import { Warehouse } from './warehouse.ts';

export interface PlannedKill {
  /** Of writing statements that run at the same time; the moment is the first one's. */
  readonly names: readonly string[];
  readonly victim: Victim;
  readonly moment: Moment;
}

export interface Walk {
  readonly kills: readonly PlannedKill[];
  readonly say: (line: string) => void;
}

export interface WalkReport {
  readonly kills: number;
  readonly violations: number;
}

interface Wanted {
  /** All where there are none. */
  readonly names: readonly string[];
  readonly victims: readonly string[];
  readonly moments: readonly Moment[];
}

/** A kill for each: what has no commit has no such moment, and what has no rows little time before it. */
export function planKills({ names, victims: wanted, moments }: Wanted): PlannedKill[] {
  return findStatements(names).flatMap(({ name, isLong = false, commits = true }) =>
    victims
      .filter((victim) => wanted.includes(victim))
      .flatMap((victim) =>
        moments
          .filter((moment) => (moment === 'committed' ? commits : isLong || !commits))
          .map((moment) => ({ names: [name], victim, moment })),
      ),
  );
}

/** Few kills of many: so many run at the same time, of which the first has a commit to wait for, if any has. */
export function planKillsTogether({ names, victims: wanted, moments }: Wanted): PlannedKill[] {
  const statements = findStatements(names);
  const hits = victims
    .filter((victim) => wanted.includes(victim))
    .flatMap((victim) => moments.map((moment) => ({ victim, moment })));
  return Array.from({ length: Math.ceil(statements.length / atOnceMax) }, (_, index) => {
    const some = statements.slice(index * atOnceMax, (index + 1) * atOnceMax);
    const hasCommit = ({ commits }: WritingStatement) => commits !== false;
    const committing = some.filter(hasCommit);
    const names = [...committing, ...some.filter((each) => !hasCommit(each))].map(({ name }) => name);
    return hits
      .filter(({ moment }) => moment !== 'committed' || committing.length > 0)
      .map((hit) => ({ names, ...hit }));
  }).flat();
}

/** As many as a warehouse runs. */
const atOnceMax = 10;

export async function playKills(server: InstalledServer, { kills, say }: Walk): Promise<WalkReport> {
  await server.up();
  const stage: Stage = { server, warehouse: new Warehouse(server) };
  await stage.warehouse.ask('select 1');
  const known = new Map<string, Undisturbed>();
  let violations = 0;
  for (const [index, { names, victim, moment }] of kills.entries()) {
    const statements = findStatements(names);
    const unknown = statements.filter(({ name }) => !known.has(name));
    for (const [at, found] of (await playUndisturbed(stage, unknown)).entries())
      known.set(unknown[at]?.name ?? '', found);
    const undisturbed = names.flatMap((name) => known.get(name) ?? []);
    const outcomes = await playTrial(stage, { statements, victim, moment, number: index }, undisturbed);
    say(`${victim} at ${moment} of ${names[0]} (${Math.round(undisturbed[0]?.elapsedMs ?? 0)} ms)`);
    for (const [at, { state, contents, message, ...outcome }] of outcomes.entries()) {
      violations += outcome.violations.length;
      say(`  ${names[at]}: ${state}, ${contents}. ${message}`);
      for (const violation of outcome.violations) say(`    VIOLATION ${violation}`);
    }
  }
  return { kills: kills.length, violations };
}

function findStatements(names: readonly string[]): readonly WritingStatement[] {
  return names.length === 0 ? writingStatements : names.map(findStatement);
}

function findStatement(wanted: string): WritingStatement {
  const found = writingStatements.find(({ name }) => name === wanted);
  if (!found) throw new Error(`no writing statement ${wanted}`);
  return found;
}
