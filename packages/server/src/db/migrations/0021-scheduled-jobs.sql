-- Jobs with a schedule, for the loop that learns which hosts will be wanted.
create index jobs_scheduled on jobs (job_id) where deleted_at_ms is null and settings ? 'schedule';
