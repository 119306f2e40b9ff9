-- When something was last done on a warehouse: idleness counts from here.
alter table warehouses add column active_at_ms bigint not null default 0;

alter table sql_endpoints
  drop column attempt_id,
  -- Null until its run is made; two that ask at once make one, by the generation.
  alter column run_id drop not null,
  add column generation integer not null default 1,
  -- It has asked for statements.
  add column ready_at_ms bigint;

create index sql_sessions_by_run on sql_sessions (run_id) where run_id is not null;
create index statements_by_warehouse on statements (warehouse_id, created_at_ms desc);
create index sql_endpoints_live on sql_endpoints (warehouse_id) where ended_at_ms is null;
