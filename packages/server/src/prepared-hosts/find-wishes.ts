/** Which hosts the first tasks of expected jobs will want. */
import { hasLabels, type PreparedWish, preparedLingerMs } from '@headrace/core';
import { type ForeseenCluster, foreseeCluster } from '../compute/foresee-cluster.ts';
import type { ComputeFacts, JobPlaces } from '../compute/resolve-cluster.ts';
import { tasksOf, withTasks } from '../runs/run-definition.ts';
import { askedLabelsByKey } from '../runs/task-documents.ts';
import type { Services } from '../services.ts';
import type { ExpectedJob } from './find-expected-jobs.ts';
import { findFirstTasks } from './find-first-tasks.ts';
import { estimateWaitingMb, findObstacle, profileOf } from './wish-of-cluster.ts';

export interface Wish extends PreparedWish {
  readonly metFromMs: number;
  /** It is over then. */
  readonly untilMs: number;
  /** For people: what it is prepared for. */
  readonly name: string;
  readonly sparkConf: Readonly<Record<string, string>>;
  /** Of a cluster that outlives its runs: a host that has this key already is what was wished for. */
  readonly hostKey: string | null;
}

/** What the clusters of a job are told. */
export interface Purpose {
  readonly name: string;
  /** Why nothing can wait for it. */
  readonly obstacle: string | null;
}

type WishServices = Pick<Services, 'db' | 'config'>;

export async function findWishes(
  services: WishServices,
  expectedJobs: readonly ExpectedJob[],
  facts: ComputeFacts,
): Promise<{ wishes: Wish[]; purposes: Map<number, Purpose> }> {
  const wishes: Wish[] = [];
  const purposes = new Map<number, Purpose>();
  for (const { job, expected, isMet } of expectedJobs) {
    const { fromMs, untilMs, metFromMs, origin } = expected;
    const what = origin === 'schedule' ? 'the schedule' : 'the daily start';
    const name = `${what} of job '${job.name}' (${job.jobId})`;
    const places = await findPlaces(services, job, facts);
    const obstacles = places.flatMap(({ obstacle }) => (obstacle === null ? [] : [obstacle]));
    if (places.length > 0) purposes.set(job.jobId, { name, obstacle: obstacles[0] ?? null });
    for (const { assignment, isKept, obstacle } of places) {
      if (obstacle !== null) continue;
      const { sparkConf, hostKey } = assignment;
      wishes.push({
        ...{ jobId: job.jobId, fromMs, metFromMs, isMet, name, sparkConf },
        untilMs: untilMs + preparedLingerMs,
        profile: profileOf(assignment),
        memoryMb: estimateWaitingMb(sparkConf),
        hostKey: isKept ? hostKey : null,
      });
    }
  }
  return { wishes, purposes };
}

interface Place extends ForeseenCluster {
  readonly obstacle: string | null;
}

async function findPlaces(
  services: WishServices,
  { name, settings, ownerId, ownerUserName }: ExpectedJob['job'],
  facts: ComputeFacts,
): Promise<Place[]> {
  const { config } = services;
  const whole = withTasks(settings, name);
  const asked = askedLabelsByKey(whole);
  const runAs = { id: ownerId, userName: ownerUserName };
  const places: Place[] = [];
  for (const task of findFirstTasks(tasksOf(whole))) {
    // A worker elsewhere takes it.
    if (!hasLabels(config.workerLabels, asked.get(task.task_key) ?? {})) continue;
    // Settings have passed the schema.
    const found = await foreseeCluster(services, { task, job: whole as JobPlaces, runAs }, facts);
    if (found === null) continue;
    const hasExecutors = config.backend === 'spark-standalone';
    places.push({ ...found, obstacle: findObstacle(found.assignment, { hasExecutors }) });
  }
  return places;
}
