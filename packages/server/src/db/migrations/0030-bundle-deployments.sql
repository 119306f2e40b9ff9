-- Deployments of bundles: a row says who holds the lock and which version is current.
create table bundle_deployments (
  deployment_id bigint primary key,
  -- As of the workspace, without its alias prefix.
  state_path text not null,
  target text not null,
  bundle text not null,
  created_at_ms bigint not null,
  created_by bigint not null,
  current_version integer not null default 0,
  -- Grows whenever the lock changes hands: a holder that lost it is refused by its number.
  fence bigint not null default 0,
  -- Null: nobody holds the lock.
  lock_holder jsonb,
  lock_request text,
  lock_since_ms bigint,
  lock_heard_ms bigint,
  -- What its holder noted of things that are made or deleted by routes of their own, beside the versions.
  pending jsonb not null default '{}',
  unique (state_path, target)
);

create table bundle_versions (
  deployment_id bigint not null references bundle_deployments (deployment_id) on delete cascade,
  version integer not null,
  request_id text not null,
  created_at_ms bigint not null,
  created_by text not null,
  message text,
  git jsonb,
  rolled_back_to integer,
  changes jsonb not null,
  resources jsonb not null,
  files jsonb not null,
  notes jsonb not null,
  -- Jobs that it deleted: their runs are cancelled after it.
  deleted_jobs jsonb not null,
  primary key (deployment_id, version),
  unique (deployment_id, request_id)
);

-- Contents of files, each once for a deployment. Where they lie is never used again: what is being removed is nobody's.
create table bundle_contents (
  deployment_id bigint not null references bundle_deployments (deployment_id) on delete cascade,
  hash text not null,
  content_id bigint not null,
  size_bytes bigint not null,
  primary key (deployment_id, hash)
);

-- Files that are being put in place, with what stood there before. It goes with the commit; where it is left, the commit
-- was not, and the files are put back.
create table bundle_placements (
  deployment_id bigint primary key references bundle_deployments (deployment_id) on delete cascade,
  placement_id bigint not null,
  begun_at_ms bigint not null,
  files jsonb not null
);
create index bundle_placements_by_age on bundle_placements (begun_at_ms);
