-- Each sealed value knows its key, so that a new key can take over some values at a time.
alter table secrets add column key_fingerprint text;
update secrets set key_fingerprint = coalesce((select fingerprint from secret_key), '');
alter table secrets alter column key_fingerprint set not null;
create index secrets_by_sealing_key on secrets (key_fingerprint, scope_id, lower(key));
create index git_credentials_by_sealing_key on git_credentials (key_fingerprint, credential_id);

-- Keys that seal nothing new, and perhaps still something old.
create table retiring_secret_keys (
  fingerprint text primary key,
  since_ms bigint not null
);
