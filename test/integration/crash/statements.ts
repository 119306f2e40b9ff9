/** The points of the sweep, read from the sources: whoever adds a statement must have it swept, or say why not. */
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { RunPhase, TaskRunState } from '@headrace/core';
import type { Side, StatementUse } from '../../support/postgres-proxy.ts';

const serverSources = fileURLToPath(new URL('../../../packages/server/src/', import.meta.url));
/** What moves runs, and the source of their ids. */
const swept = ['runs', 'attempts', 'loops', 'jobs/run-now.ts', 'jobs/start-child-run.ts', 'ids.ts'];

export interface FoundStatements {
  readonly names: readonly string[];
  /** Places with a statement whose name cannot be read off. */
  readonly unreadable: readonly string[];
}

export function findStatements(): FoundStatements {
  const names: string[] = [];
  const unreadable: string[] = [];
  for (const file of swept.flatMap((part) => listSources(path.join(serverSources, part)))) {
    const source = fs.readFileSync(file, 'utf8');
    const found = [...source.matchAll(/\bname: (?:'([^']+)'|`([^`]+)`),\s+text\b/g)];
    for (const [, plain, template] of found) names.push(...expandName(plain ?? template ?? ''));
    // Each statement has a text; declarations of types have none of these beginnings.
    const texts = [...source.matchAll(/\btext: (?:`|'[a-z]|\w+Text\b)/g)];
    if (texts.length !== found.length || names.some((name) => name.includes('$')))
      unreadable.push(`${path.relative(serverSources, file)}: ${texts.length} texts, ${found.length} names`);
  }
  return { names: names.sort(), unreadable };
}

function listSources(place: string): string[] {
  if (fs.statSync(place).isFile()) return [place];
  return fs
    .readdirSync(place, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
    .map((file) => path.join(place, file));
}

/** Leases are on the database's clock outside of tests; a choice in a name is two names. */
function expandName(template: string): string[] {
  const name = template.replaceAll(/\$\{(?:\w+\.)?dbNow\.name\}/g, 'database');
  const choice = /\$\{[^}]*\? '([^']*)' : '([^']*)'\}/.exec(name);
  if (!choice) return [name];
  return [choice[1], choice[2]].flatMap((part) => expandName(name.replace(choice[0], part ?? '')));
}

const readsForPeople = 'only reads, for a page or a sentence: nothing is half done when it is cut off';
/** Statements that no crash is made at. */
export const exempted: Readonly<Record<string, string>> = {
  'attempts-find-holder-database': readsForPeople,
  'attempts-list-workers-database': readsForPeople,
  'runs-count-iterations': readsForPeople,
  'runs-find-silence': readsForPeople,
  'runs-count-queued-attempts-before': readsForPeople,
  'runs-count-queued-before': readsForPeople,
  'runs-read-decision': readsForPeople,
  'runs-read-definition': readsForPeople,
  'runs-read-generations': readsForPeople,
  'runs-read-generations-with-settings': readsForPeople,
  'runs-read-iteration-history': readsForPeople,
  'runs-read-latest-iteration': readsForPeople,
  'runs-read-latest-iterations': readsForPeople,
  'runs-read-parameters': readsForPeople,
  'runs-read-phase': readsForPeople,
  'runs-read-silent-host': readsForPeople,
  'runs-read-task-runs': readsForPeople,
  'runs-read-worker-slots': readsForPeople,
  'attempts-find-live-claim': 'only reads, to authenticate a request of a task',
  'attempts-works-for': 'only reads, to authenticate a request of a worker',
  'runs-find-stoppable': 'not asked for: the API stops all active runs of one job at a time',
  'runs-find-stoppable-queued': 'the walk of runs-find-stoppable-queued-of-job, over the runs of all jobs',
};

/** What a save carries, as its history tells it; the compiler knows when there is more. */
const phases = { queued: true, running: true, terminating: true, ended: true } satisfies Record<
  RunPhase['kind'],
  true
>;
const states = {
  waiting_for_retry: true,
  ready: true,
  queued: true,
  claimed: true,
  running: true,
  stopping: true,
  running_parts: true,
  ended: true,
} satisfies Record<Exclude<TaskRunState['kind'], 'blocked'>, true>;

export const saveStatement = 'runs-save-batch';
export const savedKinds: readonly string[] = [
  ...Object.keys(phases).map((kind) => `run_${kind}`),
  ...Object.keys(states).map((kind) => `attempt_${kind}`),
  'run_repaired',
];

export interface CrashPoint {
  readonly statement: string;
  /** Of the save: one that tells of this. */
  readonly saved: string | null;
  readonly side: Side;
  /** At which use since the point was set. */
  readonly nth: number;
}

export function describePoint({ statement, saved, side, nth }: CrashPoint): string {
  return `${side} ${saved === null ? statement : `${statement} with ${saved}`}${nth === 1 ? '' : ` #${nth}`}`;
}

export function isUseOf({ statement, saved }: CrashPoint, use: StatementUse): boolean {
  return use.name === statement && (saved === null || use.values.includes(`"kind":"${saved}"`));
}

/** Both sides of each statement; of the save, both sides of everything that it can tell of. */
export function pointsOf(statements: readonly string[], { uses }: { readonly uses: number }): CrashPoint[] {
  const points: CrashPoint[] = [];
  for (let nth = 1; nth <= uses; nth += 1) {
    for (const statement of statements) {
      const tellings = statement === saveStatement ? savedKinds : [null];
      for (const saved of tellings)
        for (const side of ['before', 'after'] as const) points.push({ statement, saved, side, nth });
    }
  }
  return points;
}
