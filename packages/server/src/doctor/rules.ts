/** The rules that hold of the store, what a reader is told when one does not, and what can be done. */
import type { DoctorFinding } from '@headrace/api';
import type { Querier } from '../db/connect.ts';
import {
  findBrokenLinks,
  findLiveInEnded,
  findOverfull,
  findStuckRuns,
  findUnadmitted,
  findUnattended,
  findUnclaimed,
  findUngranted,
  type Suspect,
} from './store.ts';

export interface Rule {
  readonly kind: string;
  readonly severity: DoctorFinding['severity'];
  find(db: Querier, nowMs: number): Promise<Suspect[]>;
  describe(suspect: Suspect): { readonly message: string; readonly advice: string };
}

/** Ordinary loops come by every second or ten; after this long they have had their chance. */
const patienceMs = 60_000;
/** A worker beats every five seconds; its lease runs out after sixty, and then the lease loop has a minute. */
const silentMs = 120_000;

export const rules: readonly Rule[] = [
  {
    kind: 'attempt_unattended',
    severity: 'error',
    find: (db) => findUnattended(db, silentMs),
    describe: ({ task_key, worker_id, detail }) => ({
      message: `Task '${task_key}' is held by worker ${worker_id}, which ${detail === 'unknown' ? 'is not known' : 'has not been heard of for minutes'}.`,
      advice:
        detail === 'local'
          ? `Start the server that owns worker ${worker_id} on its state folder: it takes its attempts back, or proves that they died. If that folder is gone for good, cancel the run.`
          : 'The lease loop calls such attempts lost: look for its errors in the server log; cancel the run if it must end now.',
    }),
  },
  {
    kind: 'run_without_next_step',
    severity: 'error',
    find: (db, nowMs) => findStuckRuns(db, nowMs - patienceMs),
    describe: ({ run_id, detail }) => ({
      message: `Run ${run_id} is ${detail}, and nothing is queued, held or due that could move it.`,
      advice:
        'This is a defect: keep its history, report it, and cancel the run; then run or repair it again.',
    }),
  },
  {
    kind: 'queued_run_with_free_place',
    severity: 'error',
    find: (db, nowMs) => findUnadmitted(db, nowMs - patienceMs),
    describe: ({ run_id, detail }) => ({
      message:
        detail === 'no_job'
          ? `Run ${run_id} is queued for a job that does not exist.`
          : `Run ${run_id} is queued although its job has a free place.`,
      advice:
        detail === 'no_job'
          ? 'Cancel the run.'
          : "Look for errors of the loop 'admission' in the server log; its next turn admits the run.",
    }),
  },
  {
    kind: 'live_attempt_of_ended_run',
    severity: 'error',
    find: findLiveInEnded,
    describe: ({ run_id, task_key, detail }) => ({
      message: `Task '${task_key}' is ${detail}, and run ${run_id} has ended, is queued, or does not exist.`,
      advice:
        'This is a defect: report it with the history. A worker that holds the attempt ends it by itself.',
    }),
  },
  {
    kind: 'queued_attempt_with_free_slot',
    severity: 'error',
    find: (db, nowMs) => findUnclaimed(db, nowMs - patienceMs),
    describe: ({ task_key, worker_id }) => ({
      message: `Task '${task_key}' has been queued for more than a minute although worker ${worker_id} has free slots.`,
      advice:
        'Look for errors of claims in the server log; a restart of the server makes its worker ask anew.',
    }),
  },
  {
    kind: 'labels_that_no_worker_has',
    severity: 'warning',
    find: (db, nowMs) => findUngranted(db, nowMs - patienceMs),
    describe: ({ run_id, task_key, detail }) => ({
      message: `Task '${task_key}' of run ${run_id} waits for a worker with ${detail}, and none is signed on.`,
      advice:
        'Start a worker with these labels (`headrace worker --labels`), or cancel the run and change what it asks for.',
    }),
  },
  {
    kind: 'worker_over_its_slots',
    severity: 'warning',
    find: findOverfull,
    describe: ({ worker_id, detail }) => ({
      message: `Worker ${worker_id} holds ${detail} slots.`,
      advice: 'Right after its slots were made fewer this passes as attempts end; otherwise report it.',
    }),
  },
  {
    kind: 'child_link_broken',
    severity: 'error',
    find: (db, nowMs) => findBrokenLinks(db, nowMs - patienceMs),
    describe: ({ run_id, task_key, detail }) => ({
      message: describeLink(run_id, task_key, detail ?? ''),
      advice:
        "Look for errors of the loop 'child-runs' in the server log; if there are none, cancel the run.",
    }),
  },
];

function describeLink(runId: number | null, taskKey: string | null, detail: string): string {
  const [what, childRunId] = detail.split(' ');
  switch (what) {
    case 'child_missing':
      return `Task '${taskKey}' waits for a run that does not exist.`;
    case 'child_ended':
      return `Task '${taskKey}' still waits for run ${childRunId}, which has ended.`;
    case 'parent_missing':
      return `Run ${runId} is the work of a task that does not exist.`;
    default:
      return `Run ${runId} goes on although the task that started it has ended.`;
  }
}
