/** Jobs as the wire shows them. */
import type { JobDocument, JobSettings } from '@headrace/api';
import type { JobRow } from './store.ts';

export function toJobDocument(row: JobRow): JobDocument {
  return {
    job_id: row.job_id,
    creator_user_name: row.creator_user_name,
    run_as_user_name: row.creator_user_name,
    created_time: row.created_at_ms,
    // It passed the schema when it was saved.
    settings: row.settings as JobSettings,
  };
}
