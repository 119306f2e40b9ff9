-- What people look at: the tasks of a run without its iterations, and lists of runs by how they stand and by kind.

-- Iterations stay out: a for-each has thousands, and a page that shows the run is drawn again and again.
create index task_runs_of_job on task_runs (run_id, attempt_id) where parent_attempt_id is null;

-- Behind thousands of queued runs the newest that has ended is far down in runs_by_age.
create index runs_completed on runs (created_at_ms desc, run_id desc)
  where phase = 'ended' and deleted_at_ms is null;
create index runs_by_type on runs (run_type, created_at_ms desc, run_id desc) where deleted_at_ms is null;
