-- What an attempt asks of the worker that takes it; null: nothing. It never changes.
alter table task_runs add column worker_labels jsonb;

-- One part of the queue for each wish, so that one that nobody grants stands in nobody's way. A hash, for labels may be
-- longer than what an index takes.
create index task_runs_queued_by_labels on task_runs (coalesce(md5(worker_labels::text), ''), queued_at_ms, attempt_id)
  where state = 'queued';
