create table volumes (
  id uuid primary key,
  schema_id uuid not null references schemas (id),
  name text not null,
  -- Of an external volume. A managed one lies where its name says, below the data root.
  external_location text,
  comment text,
  owner text not null,
  created_at_ms bigint not null,
  created_by text not null,
  updated_at_ms bigint not null,
  updated_by text not null,
  unique (schema_id, name)
);

-- Folders that must follow a new name, or go to the trash: noted with the change, done after it.
create table folder_moves (
  id bigint generated always as identity primary key,
  from_key text not null,
  to_key text not null,
  requested_at_ms bigint not null
);
