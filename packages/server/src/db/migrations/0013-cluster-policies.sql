-- Rules for what clusters may be. Clusters name them in their documents, and stay when a policy goes.
create table cluster_policies (
  policy_id text primary key,
  name text not null unique,
  -- As it was written.
  fields jsonb not null,
  -- JSON of the rules that count: those of its family with the overrides in their places.
  definition text not null,
  created_by text not null,
  created_at_ms bigint not null
);

create index clusters_by_policy on clusters ((spec ->> 'policy_id')) where spec ->> 'policy_id' is not null;
