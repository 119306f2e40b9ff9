-- Tables that were dropped and may come back: their rows as they were, until their time is over.
create table dropped_tables (
  id uuid primary key,
  -- Their schema may be gone: then one of the same name takes its place.
  schema_id uuid not null,
  catalog text not null,
  schema text not null,
  name text not null,
  table_type text not null,
  storage_location text,
  document jsonb not null,
  dropped_at_ms bigint not null,
  dropped_by text not null
);
create index dropped_tables_by_age on dropped_tables (dropped_at_ms, id);
create index dropped_tables_by_location on dropped_tables (storage_location);
