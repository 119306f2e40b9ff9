-- SQL warehouses: each has a cluster of its own, whose generation, hosts and worker are as those of any cluster.
-- Clusters of warehouses stand in no list of clusters, and are changed through their warehouse alone.
alter table clusters add column warehouse_id text;

create table warehouses (
  warehouse_id text primary key,
  name text not null,
  -- As they were written.
  fields jsonb not null,
  cluster_id text not null,
  owner_id bigint not null,
  created_by text not null,
  created_at_ms bigint not null,
  -- Stands in where no warehouse is named, or one that nobody knows.
  is_default boolean not null default false,
  deleted_at_ms bigint
);
create unique index warehouses_by_name on warehouses (lower(name)) where deleted_at_ms is null;
create unique index warehouses_default on warehouses (is_default) where is_default and deleted_at_ms is null;

-- The process that runs the statements of one principal on one warehouse: the latest of them.
create table sql_endpoints (
  warehouse_id text not null references warehouses (warehouse_id) on delete cascade,
  principal_id bigint not null,
  -- A run that no list shows.
  run_id bigint not null,
  -- Of its only task; null until it has asked for work.
  attempt_id bigint,
  created_at_ms bigint not null,
  -- Null while it goes on; why it ended otherwise.
  ended_at_ms bigint,
  end_message text,
  primary key (warehouse_id, principal_id)
);
create index sql_endpoints_by_run on sql_endpoints (run_id);

create table sql_sessions (
  session_id text primary key,
  warehouse_id text not null references warehouses (warehouse_id) on delete cascade,
  principal_id bigint not null,
  catalog text,
  schema text,
  conf jsonb not null,
  created_at_ms bigint not null,
  used_at_ms bigint not null,
  -- Whose Spark session it is; null before its first statement. It ends with that endpoint.
  run_id bigint
);
create index sql_sessions_by_principal on sql_sessions (warehouse_id, principal_id);
create index sql_sessions_by_use on sql_sessions (used_at_ms);

-- Every statement, as the query history shows it. Its result goes earlier than its row.
create table statements (
  statement_id text primary key,
  warehouse_id text not null,
  principal_id bigint not null,
  user_name text not null,
  session_id text,
  statement text not null,
  -- What the endpoint needs beside the text: parameters, catalog, schema, limits, format.
  request jsonb not null,
  source jsonb not null,
  kind text not null,
  state text not null check (state in ('PENDING', 'RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELED', 'CLOSED')),
  created_at_ms bigint not null,
  -- Given to an endpoint, in its attempt and with which of its questions: an answer that got lost is given again.
  run_id bigint,
  given_poll bigint,
  given_at_ms bigint,
  ended_at_ms bigint,
  cancel_requested boolean not null default false,
  -- How long the endpoint took, where it told.
  timings jsonb,
  error jsonb,
  -- Columns, totals and chunks of the result; null once it is forgotten.
  manifest jsonb,
  rows_produced bigint,
  result_until_ms bigint
) with (fillfactor = 70);
create index statements_by_age on statements (created_at_ms desc, statement_id desc);
create index statements_by_principal on statements (principal_id, created_at_ms desc, statement_id desc);
create index statements_pending on statements (warehouse_id, principal_id, created_at_ms, statement_id)
  where state = 'PENDING';
create index statements_running on statements (run_id) where state = 'RUNNING';
create index statements_by_session on statements (session_id) where state in ('PENDING', 'RUNNING');
create index statements_with_result on statements (result_until_ms) where result_until_ms is not null;

-- Small ones stand here, others in the blob store.
create table statement_chunks (
  statement_id text not null references statements (statement_id) on delete cascade,
  chunk_index integer not null,
  content bytea,
  primary key (statement_id, chunk_index)
);
