/** What a repair asks of the run's job. */
import type { JobSettings } from '@headrace/api';
import type { Querier } from '../db/connect.ts';
import type { RepairUses } from '../runs/repair-run.ts';
import { untitled } from './save-job.ts';
import { readJob } from './store.ts';

export function createRepairUses(db: Querier): RepairUses {
  return {
    async readCurrentJob(jobId) {
      const job = await readJob(db, jobId);
      return job && { settings: job.settings, name: (job.settings as JobSettings).name ?? untitled };
    },
  };
}
