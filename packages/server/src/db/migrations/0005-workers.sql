-- Workers on other machines: which process speaks for one, what it offers, and the tokens that sign it on.

alter table workers
  -- Grows with each registration; what an earlier life of the worker says is refused by it.
  add column registration bigint not null default 0,
  -- The process that registered last. Null for workers of a server's own process.
  add column instance_id text,
  -- It left in good order: its id is free at once.
  add column signed_off_at_ms bigint,
  add column protocol_version integer,
  add column labels jsonb not null default '{}',
  -- As the worker told it: hostname, process id, platform, version.
  add column host jsonb not null default '{}';

alter table tokens drop constraint tokens_kind_check;
-- worker: signs workers on and opens nothing else
alter table tokens add constraint tokens_kind_check check (kind in ('personal', 'local', 'session', 'worker'));
