/** The places of jobs (max_concurrent_runs), as one batch gives them away. */
import { admit } from '@headrace/core';
import type { Querier } from '../db/connect.ts';
import { type PlacesRow, type PlacesSave, readPlaces } from './save-store.ts';
import type { WorkItem } from './work-items.ts';

/** Places of one job, as this batch gives them away. */
export class JobPlaces {
  readonly #row: PlacesRow;
  taken = 0;
  /** Something was decided on these counts: they must still be true when it is saved. */
  isUsed = false;

  constructor(row: PlacesRow) {
    this.#row = row;
  }

  decideNew(queueEnabled: boolean): 'admit' | 'queue' | 'skip' {
    this.isUsed = true;
    // Who came earlier and waits goes first.
    const isOvertaking = queueEnabled && this.#row.queued > 0;
    const decision = isOvertaking
      ? 'queue'
      : admit({ activeRuns: this.#row.active + this.taken, runsMax: this.#row.runs_max, queueEnabled });
    if (decision === 'admit') this.taken += 1;
    return decision;
  }

  takeQueued(): boolean {
    const isFree = this.#row.active + this.taken < this.#row.runs_max;
    if (isFree) this.taken += 1;
    this.isUsed ||= isFree;
    return isFree;
  }

  toSave(): PlacesSave {
    return { job_id: this.#row.job_id, expected_admissions: this.#row.admissions, taken: this.taken };
  }
}

export type Places = ReadonlyMap<number, JobPlaces>;

/** Counted in the store each time: another process may have begun or ended runs of the job. */
export async function readFreePlaces(items: readonly WorkItem[], db: Querier): Promise<Places> {
  const jobIds = new Set<number>();
  for (const item of items) {
    if (item.kind === 'create' && item.order.places) jobIds.add(item.order.places.jobId);
    if (item.kind === 'admit') jobIds.add(item.jobId);
    if (item.kind === 'repair' && item.order.places) jobIds.add(item.order.places.jobId);
  }
  if (jobIds.size === 0) return new Map();
  const rows = await readPlaces(db, [...jobIds]);
  return new Map(rows.map((row) => [row.job_id, new JobPlaces(row)]));
}
