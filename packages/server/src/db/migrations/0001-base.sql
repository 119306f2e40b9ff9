-- Principals, tokens, audit, workspace, catalogs, clusters. Times ending in _at_ms are epoch milliseconds of the
-- server's clock. Every id is drawn from id_blocks (see ids.ts: the step is idBlockSize).
create sequence id_blocks as bigint start with 1000 increment by 1000;

-- Facts about the workspace as a whole: its id, its keys.
create table workspace_facts (
  name text primary key,
  value jsonb not null
);

create table principals (
  id bigint primary key,
  user_name text not null unique,
  display_name text not null,
  kind text not null check (kind in ('user', 'service_principal')),
  is_admin boolean not null,
  active boolean not null default true,
  -- The administrator's first token was made, and shown.
  has_had_token boolean not null default false,
  created_at_ms bigint not null
);

create table tokens (
  id text primary key,
  principal_id bigint not null references principals (id) on delete cascade,
  -- personal: made by or for a person; local: of one start of one server; session: behind the browser's cookie
  kind text not null check (kind in ('personal', 'local', 'session')),
  comment text not null,
  hash bytea not null unique,
  created_at_ms bigint not null,
  expires_at_ms bigint
);
create index tokens_by_principal on tokens (principal_id, created_at_ms);
create index tokens_by_expiry on tokens (expires_at_ms) where expires_at_ms is not null;

create table sign_in_links (
  hash bytea primary key,
  principal_id bigint not null references principals (id) on delete cascade,
  expires_at_ms bigint not null
);

create table audit_events (
  id bigint generated always as identity primary key,
  at_ms bigint not null,
  action text not null,
  principal_id bigint,
  user_name text,
  request_id text not null,
  source_ip text not null,
  user_agent text,
  status integer not null,
  error_code text,
  parameters jsonb not null
);
create index audit_events_by_time on audit_events (at_ms);

create table workspace_objects (
  -- Compared byte by byte: deleting a folder is a range of paths.
  path text collate "C" primary key,
  parent text collate "C" not null,
  object_id bigint not null unique,
  object_type text not null check (object_type in ('DIRECTORY', 'NOTEBOOK', 'FILE')),
  language text,
  size_bytes bigint not null,
  created_at_ms bigint not null,
  modified_at_ms bigint not null,
  created_by bigint not null
);
create index workspace_objects_by_parent on workspace_objects (parent, path);

create table catalogs (
  id uuid primary key,
  name text not null unique,
  comment text,
  properties jsonb not null,
  options jsonb not null,
  storage_root text,
  isolation_mode text not null,
  owner text not null,
  created_at_ms bigint not null,
  created_by text not null,
  updated_at_ms bigint not null,
  updated_by text not null
);

create table schemas (
  id uuid primary key,
  catalog_id uuid not null references catalogs (id),
  name text not null,
  comment text,
  properties jsonb not null,
  storage_root text,
  owner text not null,
  created_at_ms bigint not null,
  created_by text not null,
  updated_at_ms bigint not null,
  updated_by text not null,
  unique (catalog_id, name)
);

create table tables (
  id uuid primary key,
  schema_id uuid not null references schemas (id),
  name text not null,
  table_type text not null,
  data_source_format text,
  columns jsonb not null,
  storage_location text,
  view_definition text,
  comment text,
  properties jsonb not null,
  -- What the Spark plug-in keeps (schema_json, view details): stored and returned as it is.
  headrace jsonb not null,
  owner text not null,
  created_at_ms bigint not null,
  created_by text not null,
  updated_at_ms bigint not null,
  updated_by text not null,
  unique (schema_id, name)
);

-- Folders whose table was deleted: written in the transaction that deletes the table, emptied after it, again if need be.
create table folders_to_delete (
  folder text primary key,
  requested_at_ms bigint not null
);

create table clusters (
  cluster_id text primary key,
  cluster_name text not null,
  -- default: the shared one; job: made for one run
  kind text not null check (kind in ('default', 'job')),
  run_id bigint,
  spec jsonb not null,
  warnings jsonb not null,
  created_by text not null,
  created_at_ms bigint not null
);
create index clusters_by_age on clusters (created_at_ms desc, cluster_id);

create table cluster_hosts (
  cluster_id text not null references clusters (cluster_id) on delete cascade,
  host_key text not null,
  worker_id text not null,
  state text not null,
  spark_state text not null,
  pid integer,
  message text not null,
  started_at_ms bigint not null,
  reported_at_ms bigint not null,
  primary key (cluster_id, host_key)
);
