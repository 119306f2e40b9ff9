/** Kills one after the other on one server, each under a statement of its own. */
import type { InstalledServer } from '../bench/installed-server.ts';
import { type WritingStatement, writingStatements } from './statements.ts';
import { type Moment, playTrial, playUndisturbed, type Stage, type Undisturbed } from './trial.ts';
import { type Victim, victims } from './victims.ts';
import { Warehouse } from './warehouse.ts';

export interface PlannedKill {
  /** Of a writing statement. */
  readonly name: string;
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

/** All that are worth while: what has no commit has no such moment, and what has no rows little time before it. */
export function planKills(wanted: {
  readonly names: readonly string[];
  readonly victims: readonly string[];
  readonly moments: readonly Moment[];
}): PlannedKill[] {
  return writingStatements
    .filter(({ name }) => wanted.names.length === 0 || wanted.names.includes(name))
    .flatMap(({ name, isLong = false, commits = true }) =>
      victims
        .filter((victim) => wanted.victims.includes(victim))
        .flatMap((victim) =>
          wanted.moments
            .filter((moment) => (moment === 'committed' ? commits : isLong || !commits))
            .map((moment) => ({ name, victim, moment })),
        ),
    );
}

export async function playKills(server: InstalledServer, { kills, say }: Walk): Promise<WalkReport> {
  await server.up();
  const stage: Stage = { server, warehouse: new Warehouse(server) };
  await stage.warehouse.ask('select 1');
  const known = new Map<string, Undisturbed>();
  let number = 0;
  let violations = 0;
  for (const { name, victim, moment } of kills) {
    const statement = findStatement(name);
    const undisturbed = known.get(name) ?? (await playUndisturbed(stage, statement));
    if (!known.has(name)) say(`${name}: ${Math.round(undisturbed.elapsedMs)} ms undisturbed`);
    known.set(name, undisturbed);
    number += 1;
    const outcome = await playTrial(stage, { statement, victim, moment, number }, undisturbed);
    violations += outcome.violations.length;
    say(`  ${victim} at ${moment}: ${outcome.state}, ${outcome.contents}. ${outcome.message}`);
    for (const violation of outcome.violations) say(`    VIOLATION ${violation}`);
  }
  return { kills: kills.length, violations };
}

function findStatement(wanted: string): WritingStatement {
  const found = writingStatements.find(({ name }) => name === wanted);
  if (!found) throw new Error(`no writing statement ${wanted}`);
  return found;
}
