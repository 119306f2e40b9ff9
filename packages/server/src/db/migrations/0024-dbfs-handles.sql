-- Files of DBFS that are being sent in blocks. The draft beside the file's place counts as far as size_bytes.
create table dbfs_handles (
  id bigint generated always as identity primary key,
  principal_id bigint not null,
  path text not null,
  overwrite boolean not null,
  size_bytes bigint not null,
  used_at_ms bigint not null
);
create index dbfs_handles_by_principal on dbfs_handles (principal_id);
create index dbfs_handles_by_use on dbfs_handles (used_at_ms);
