/** A run that was repaired has several generations: the original, and one for each repair. Pure. */
import type { RunDocument, RunTaskDocument } from '@headrace/api';

export interface RunGeneration {
  /** How the URL names it; undefined for the latest one, which is what a run's page shows anyway. */
  readonly key: string | undefined;
  readonly label: string;
  readonly state: RunDocument['state'];
  /** The run's task runs as it left them. */
  readonly tasks: readonly RunTaskDocument[];
}

/** Oldest first; one for a run without a repair. */
export function generationsOf(run: RunDocument): RunGeneration[] {
  const history = run.repair_history ?? [];
  const tasks = run.tasks ?? [];
  const known = new Set<number>();
  const earlier = history.slice(0, -1).map((part, at): RunGeneration => {
    for (const id of part.task_run_ids) known.add(id);
    return {
      key: at === 0 ? 'original' : String(part.id ?? at),
      label: labelOf(at),
      state: part.state,
      tasks: tasks.filter((task) => known.has(task.run_id)),
    };
  });
  // The latest one is live: what has come since the history was read belongs to it.
  return [...earlier, { key: undefined, label: labelOf(earlier.length), state: run.state, tasks }];
}

export function latestRepairId(run: RunDocument): number | undefined {
  return run.repair_history?.filter(({ type }) => type === 'REPAIR').at(-1)?.id;
}

function labelOf(at: number): string {
  return at === 0 ? 'Original' : `Repair ${at}`;
}
