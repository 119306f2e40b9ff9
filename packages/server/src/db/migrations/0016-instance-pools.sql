-- Pools of hosts that are kept started for clusters to come. The hosts that clusters have stand with the clusters.
create table instance_pools (
  pool_id text primary key,
  -- As they were written.
  fields jsonb not null,
  created_by text not null,
  created_at_ms bigint not null,
  -- The most hosts that clusters had at once within the idle time, and when.
  peak integer not null default 0,
  peak_at_ms bigint not null default 0
);

-- Hosts that wait, as their worker told with its last heartbeat. A pool that is gone is told of until they have ended.
create table instance_pool_hosts (
  worker_id text not null references workers (worker_id) on delete cascade,
  host_key text not null,
  pool_id text not null,
  state text not null,
  spark_state text not null,
  message text not null,
  primary key (worker_id, host_key)
);
create index instance_pool_hosts_by_pool on instance_pool_hosts (pool_id);

create index clusters_by_pool on clusters ((spec ->> 'instance_pool_id')) where spec ->> 'instance_pool_id' is not null;
