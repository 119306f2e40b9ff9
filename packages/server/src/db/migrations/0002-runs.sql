-- Jobs, their runs, and the attempts that workers take.
-- Instants are epoch milliseconds; those of leases come from this database's clock, all others from the server's.
-- A run's own row and its task runs are written again and again: room on the page keeps those updates cheap.

create table jobs (
  job_id bigint primary key,
  name text not null,
  -- The settings document as the user gave it, whole.
  settings jsonb not null,
  max_concurrent_runs integer not null,
  owner_id bigint not null,
  creator_user_name text not null,
  created_at_ms bigint not null,
  updated_at_ms bigint not null,
  deleted_at_ms bigint,
  -- Grows with each admission of a run: two servers that give away the same place cannot both be right.
  admissions bigint not null default 0
) with (fillfactor = 80);

create index jobs_by_age on jobs (created_at_ms desc, job_id desc) where deleted_at_ms is null;
create index jobs_by_name on jobs (lower(name), created_at_ms desc, job_id desc) where deleted_at_ms is null;

create table runs (
  run_id bigint primary key,
  job_id bigint,
  -- The fence: every save names the version it was decided on.
  version integer not null,
  run_type text not null,
  run_name text not null,
  trigger text not null,
  owner_id bigint not null,
  creator_user_name text not null,
  idempotency_token text unique,
  number_in_job bigint not null,
  created_at_ms bigint not null,
  -- The current generation and its phase: queued, running, terminating, ended.
  generation integer not null,
  phase text not null,
  started_at_ms bigint,
  stop_reason text,
  stopping_at_ms bigint,
  ended_at_ms bigint,
  result text,
  -- Of a failed run: the task whose failure is told first, what it said, and whether others were skipped for it.
  cause jsonb,
  -- When to look again without news; null when only news can move the run.
  wake_at_ms bigint,
  deleted_at_ms bigint
) with (fillfactor = 60);

create index runs_by_age on runs (created_at_ms desc, run_id desc) where deleted_at_ms is null;
create index runs_by_job on runs (job_id, created_at_ms desc, run_id desc) where deleted_at_ms is null;
create index runs_active on runs (created_at_ms desc, run_id desc) where phase <> 'ended' and deleted_at_ms is null;
create index runs_active_by_job on runs (job_id) where phase in ('running', 'terminating');
create index runs_queued on runs (job_id, created_at_ms, run_id) where phase = 'queued';
create index runs_wake on runs (wake_at_ms) where wake_at_ms is not null;

-- The original of a run is generation 0; each repair adds one. Frozen when made, but for `phase`.
create table run_generations (
  run_id bigint not null references runs (run_id) on delete cascade,
  generation integer not null,
  created_at_ms bigint not null,
  -- What decides the course (tasks, dependencies, retries, time-outs).
  definition jsonb not null,
  -- The settings document that the tasks are executed from.
  settings jsonb not null,
  -- Job parameters and overrides as the caller gave them.
  parameters jsonb not null,
  -- How this generation ended; null while it is the run's current one.
  phase jsonb,
  primary key (run_id, generation)
);

-- No foreign key: every row is written by the statement that writes its run, and a check per row would cost a large
-- run more than the rest of that statement.
create table task_runs (
  run_id bigint not null,
  task_key text not null,
  iteration integer not null,
  generation integer not null,
  attempt integer not null,
  attempt_id bigint not null unique,
  -- The fence of the attempt: grows with each claim and each re-attachment.
  epoch integer not null,
  state text not null,
  created_at_ms bigint not null,
  due_at_ms bigint,
  queued_at_ms bigint,
  claimed_at_ms bigint,
  started_at_ms bigint,
  stopping_at_ms bigint,
  ended_at_ms bigint,
  worker_id text,
  cluster_id text,
  -- The epoch of the claim; `epoch` grows beyond it when the worker comes back and takes the attempt again.
  claim_epoch integer,
  stop_reason text,
  result text,
  failure jsonb,
  exit_value text,
  -- The task's document with its references resolved, as the attempt received it.
  resolved jsonb,
  primary key (run_id, task_key, iteration, generation, attempt)
) with (fillfactor = 60);

create index task_runs_queued on task_runs (queued_at_ms, attempt_id) where state = 'queued';
create index task_runs_held on task_runs (worker_id, attempt_id) where state in ('claimed', 'running', 'stopping');

create table task_values (
  run_id bigint not null,
  task_key text not null,
  name text not null,
  value jsonb not null,
  attempt_id bigint not null,
  set_at_ms bigint not null,
  primary key (run_id, task_key, name)
);

-- News that could not be taken into a save at once; the next save of the run takes and deletes it.
create table inbox (
  inbox_id bigint generated always as identity primary key,
  run_id bigint not null,
  event jsonb not null,
  received_at_ms bigint not null
);

create index inbox_by_run on inbox (run_id, inbox_id);

-- What happened, for people. Only ever appended to, and never read back to decide anything.
create table run_events (
  run_event_id bigint generated always as identity primary key,
  run_id bigint not null,
  at_ms bigint not null,
  task_key text,
  attempt_id bigint,
  kind text not null,
  detail jsonb
);

create index run_events_by_run on run_events (run_id, run_event_id);

create table workers (
  worker_id text primary key,
  backend text not null,
  slots integer not null,
  -- Attempts of a local worker are lost only on proof of death, never because time passed.
  is_local boolean not null,
  registered_at_ms bigint not null,
  heartbeat_at_ms bigint not null,
  lease_expires_at_ms bigint not null
) with (fillfactor = 60);

create index workers_lease on workers (lease_expires_at_ms) where not is_local;

-- The key that signs task tokens: made once, so that tokens outlive a restart of the server.
create table task_token_keys (
  only_one boolean primary key default true check (only_one),
  secret bytea not null
);
