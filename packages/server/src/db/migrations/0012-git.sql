-- Git: credentials, the commits that runs use, Git folders of the workspace.
create table git_credentials (
  credential_id bigint primary key,
  principal_id bigint not null references principals (id) on delete cascade,
  provider text not null,
  username text,
  email text,
  name text,
  is_default boolean not null,
  -- Sealed as secrets are; which key it was, by its fingerprint. Null: no token was given.
  sealed_token bytea,
  key_fingerprint text,
  created_at_ms bigint not null
);
create index git_credentials_by_principal on git_credentials (principal_id, credential_id);

-- A branch or tag is looked up once for a run; its repairs and retries use the same commit.
create table run_git_commits (
  run_id bigint not null references runs (run_id) on delete cascade,
  git_url text not null,
  reference text not null,
  "commit" text not null,
  primary key (run_id, git_url, reference)
);
create index run_git_commits_by_commit on run_git_commits ("commit");

alter table workspace_objects drop constraint workspace_objects_object_type_check;
alter table workspace_objects add constraint workspace_objects_object_type_check
  check (object_type in ('DIRECTORY', 'NOTEBOOK', 'FILE', 'REPO'));

create table git_folders (
  repo_id bigint primary key references workspace_objects (object_id) on delete cascade,
  owner_id bigint not null,
  url text not null,
  provider text not null,
  branch text,
  tag text,
  head_commit text,
  patterns jsonb,
  credential_id bigint,
  -- Workspace path → hash of each file as it was checked out: what differs was changed since.
  files jsonb not null,
  created_at_ms bigint not null,
  -- One change at a time; a server that died holds it no longer than this.
  busy_until_ms bigint
);
