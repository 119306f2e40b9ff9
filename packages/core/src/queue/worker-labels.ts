/** Which workers may take an attempt: those that have every label that it asks for, with the value asked for. */

/** Values by name. */
export type WorkerLabels = Readonly<Record<string, string>>;

export const noLabels: WorkerLabels = {};

/**
 * The processes that serve SQL statements take no slot: tasks in the slots wait for them. They ask for a label that nobody
 * can give, since it is no name of one, and a worker asks for such work by itself.
 */
export const endpointLabel = 'sql endpoint';
export const endpointLabels: WorkerLabels = { [endpointLabel]: 'yes' };
/** At the same time on a worker. Each is a JVM of some 700 MB, and idles for as long as its warehouse runs. */
export const sqlEndpointsMax = 16;

/** Whoever asks for nothing is content with anybody. */
export function hasLabels(worker: WorkerLabels, asked: WorkerLabels): boolean {
  return Object.entries(asked).every(
    ([name, value]) => Object.hasOwn(worker, name) && worker[name] === value,
  );
}

/** Whether a worker that asks for work takes this. */
export function mayTake(claimer: WorkerLabels, asked: WorkerLabels): boolean {
  return (
    Object.hasOwn(claimer, endpointLabel) === Object.hasOwn(asked, endpointLabel) && hasLabels(claimer, asked)
  );
}
