-- Until now a location of a catalog or schema was kept without any effect; from now on managed tables and volumes live below it.
update catalogs set storage_root = null where storage_root is not null;
update schemas set storage_root = null where storage_root is not null;
create index catalogs_with_location on catalogs (id) where storage_root is not null;
create index schemas_with_location on schemas (id) where storage_root is not null;

-- A managed volume of such a schema: external_location is its folder there, which goes with it.
alter table volumes add column has_own_folder boolean not null default false;
