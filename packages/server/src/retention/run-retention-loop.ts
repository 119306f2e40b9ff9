/**
 * Takes ended runs out of sight that are too old, or more than a job keeps. That is all: run-purge-loop.ts removes
 * what they leave, so that a crash between the two loses nothing and leaves nothing.
 */
import type { Loop } from '../loops/driver.ts';
import type { Services } from '../services.ts';
import { findNextJobId, hideRunsBeyond, hideRunsEndedBefore } from './store.ts';

export const dayMs = 24 * 3_600_000;
const everyMs = 3_600_000;
const runsPerTurnMax = 500;
/** Each costs a walk along the index of as many runs as are kept. */
const jobsPerTurnMax = 20;

export function createRunRetentionLoop({ db, clock, config }: Services): Loop {
  let jobId = 0;
  return {
    name: 'run-retention',
    everyMs,
    async turn() {
      const nowMs = clock.nowMs();
      const beforeMs = nowMs - config.runsKeptDays * dayMs;
      const hidden = await hideRunsEndedBefore(db, { nowMs, beforeMs, limit: runsPerTurnMax });
      if (hidden === runsPerTurnMax) return 'again';
      for (let jobs = 0; jobs < jobsPerTurnMax; jobs += 1) {
        const next = await findNextJobId(db, jobId);
        jobId = next ?? 0;
        if (next === null) return 'idle';
        const of = { nowMs, jobId: next, kept: config.runsKeptPerJob, limit: runsPerTurnMax };
        // What is left of this job is found by the next round.
        if ((await hideRunsBeyond(db, of)) === runsPerTurnMax) jobId = next - 1;
      }
      return 'again';
    },
  };
}
