-- Saved queries. One in the trash keeps its row, so that its id still says what it was.
create table queries (
  query_id text primary key,
  display_name text not null,
  parent_path text not null,
  query_text text not null,
  -- All else, as it was written.
  fields jsonb not null,
  owner_id bigint not null,
  owner_user_name text not null,
  modified_by text not null,
  created_at_ms bigint not null,
  updated_at_ms bigint not null,
  trashed_at_ms bigint
);
create unique index queries_by_name on queries (parent_path, display_name) where trashed_at_ms is null;
create index queries_by_age on queries (created_at_ms desc, query_id desc) where trashed_at_ms is null;
