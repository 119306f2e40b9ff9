-- Secrets: scopes, who may use them, and values, each sealed with a key that is not in this store (secrets/seal.ts).
create table secret_scopes (
  id bigint primary key,
  name text not null,
  created_at_ms bigint not null
);
create unique index secret_scopes_by_name on secret_scopes (lower(name));

create table secrets (
  scope_id bigint not null references secret_scopes (id) on delete cascade,
  key text not null,
  sealed bytea not null,
  updated_at_ms bigint not null
);
create unique index secrets_by_key on secrets (scope_id, lower(key));

create table secret_acls (
  scope_id bigint not null references secret_scopes (id) on delete cascade,
  -- Of a user, or of one of the groups that everybody is in or not by what they are: users, admins.
  principal_id bigint references principals (id) on delete cascade,
  group_name text,
  permission text not null check (permission in ('READ', 'WRITE', 'MANAGE')),
  check ((principal_id is null) <> (group_name is null)),
  unique nulls not distinct (scope_id, principal_id, group_name)
);
create index secret_acls_by_principal on secret_acls (principal_id) where principal_id is not null;

-- Which key seals them, by its fingerprint: a server that has another one must not write what others cannot read.
create table secret_key (
  is_only boolean primary key default true check (is_only),
  fingerprint text not null
);
