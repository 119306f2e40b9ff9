/** Which workers may take an attempt: those that have every label that it asks for, with the value asked for. */

/** Values by name. */
export type WorkerLabels = Readonly<Record<string, string>>;

export const noLabels: WorkerLabels = {};

/** Whoever asks for nothing is content with anybody. */
export function hasLabels(worker: WorkerLabels, asked: WorkerLabels): boolean {
  return Object.entries(asked).every(
    ([name, value]) => Object.hasOwn(worker, name) && worker[name] === value,
  );
}
