-- The attempt whose token opened a session: they end together.
alter table sql_sessions add column task_run_id bigint;
create index sql_sessions_by_task on sql_sessions (task_run_id) where task_run_id is not null;
create index statements_of_tasks on statements ((source ->> 'taskRunId'))
  where state in ('PENDING', 'RUNNING') and source ? 'taskRunId';
