-- Libraries of all-purpose clusters: every task that names the cluster gets them, before its own.
create table cluster_libraries (
  cluster_id text not null references clusters (cluster_id) on delete cascade,
  -- Of the document, however its fields were ordered.
  library_key text not null,
  library jsonb not null,
  installed_at_ms bigint not null,
  installed_by text not null,
  primary key (cluster_id, library_key)
);

-- What did not install is few, and asked for with each look at a cluster's libraries.
create index task_runs_library_failures on task_runs (cluster_id, ended_at_ms)
  where failure ->> 'code' = 'LIBRARY_INSTALLATION_ERROR';
