/** What the documents of runs need beside their rows: few queries, however many runs a page has. */
import type { Querier } from '../db/connect.ts';
import { readUsedCommits } from '../git/used-commits.ts';
import type { RunView, TaskRunView } from './store.ts';
import { countIterations, readGenerations, readParameters } from './view-store.ts';
import type { RunParts } from './wire-tasks.ts';

/** By run. */
export async function readRunParts(
  db: Querier,
  runs: readonly RunView[],
  {
    taskRuns,
    includeResolvedValues = false,
    withSettings = true,
  }: {
    readonly taskRuns: readonly TaskRunView[];
    readonly includeResolvedValues?: boolean;
    /** Without, no task can be shown. */
    readonly withSettings?: boolean;
  },
): Promise<ReadonlyMap<number, RunParts>> {
  const repaired = runs.filter(({ generation }) => generation > 0).map((run) => run.run_id);
  const forEach = taskRuns
    .filter((taskRun) => taskRun.inputs_count !== null)
    .map((taskRun) => taskRun.attempt_id);
  const children = includeResolvedValues ? taskRuns.flatMap(({ child_run_id }) => child_run_id ?? []) : [];
  const fromGit = runs.filter(({ settings }) => settings.git_source !== undefined).map((run) => run.run_id);
  const [generations, counted, parameters, findUsedCommit] = await Promise.all([
    repaired.length === 0 ? [] : readGenerations(db, repaired, { withSettings }),
    forEach.length === 0 ? [] : countIterations(db, forEach),
    children.length === 0 ? [] : readParameters(db, children),
    readUsedCommits(db, fromGit),
  ]);
  const counts = new Map(counted.map((row) => [row.attempt_id, row]));
  const childParameters = new Map(parameters.map((row) => [row.run_id, row.parameters]));
  const byRun = Map.groupBy(generations, (generation) => generation.run_id);
  return new Map(
    runs.map(({ run_id }) => [
      run_id,
      { generations: byRun.get(run_id) ?? [], counts, childParameters, findUsedCommit },
    ]),
  );
}
