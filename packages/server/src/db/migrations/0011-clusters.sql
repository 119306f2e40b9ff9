-- All-purpose clusters: what is wanted of each and how far it has come. Their hosts follow what is wanted.
alter table clusters drop constraint clusters_kind_check;
-- default: the shared one; job: made for one run; all_purpose: made by a person or a client, and started and stopped
alter table clusters
  add constraint clusters_kind_check check (kind in ('default', 'job', 'all_purpose')),
  -- Of all-purpose clusters alone; that of others is the state of their hosts.
  add column state text,
  add column wanted text check (wanted in ('running', 'terminated')),
  -- Part of the host's key: a restart or an edit raises it, and hosts of earlier generations end.
  add column generation integer not null default 0,
  add column owner_id bigint,
  -- Where the owner's host is, or is to be.
  add column worker_id text,
  add column message text not null default '',
  add column termination jsonb,
  add column started_at_ms bigint,
  add column restarted_at_ms bigint,
  add column terminated_at_ms bigint,
  -- Something ran on it, or it was started: idleness counts from here.
  add column active_at_ms bigint,
  add column pinned_at_ms bigint,
  -- Deleted for good: the row stays a while, so that its id is known as a deleted one.
  add column deleted_at_ms bigint;

-- Those that the loop looks at.
create index clusters_unsettled on clusters (cluster_id)
  where kind = 'all_purpose' and (wanted = 'running' or state <> 'TERMINATED');
create index clusters_by_name on clusters (lower(cluster_name), cluster_id) where deleted_at_ms is null;

create table cluster_events (
  cluster_event_id bigint generated always as identity primary key,
  cluster_id text not null references clusters (cluster_id) on delete cascade,
  at_ms bigint not null,
  kind text not null,
  details jsonb not null
);
create index cluster_events_by_cluster on cluster_events (cluster_id, at_ms, cluster_event_id);
create index cluster_events_by_age on cluster_events (at_ms);

alter table cluster_hosts
  -- Why it did not start; null also where it ran and died.
  add column failure_code text;
