-- Conditions, for-each, runs of other jobs, repairs.

alter table runs
  -- Of a run that is the work of a task: that task's attempt. Unique, so that it is started once, whatever crashes.
  add column parent_attempt_id bigint unique,
  add column parent_run_id bigint;

create index runs_active_children on runs (parent_attempt_id)
  where parent_attempt_id is not null and phase in ('queued', 'running');

alter table run_generations
  add column repair_id bigint unique,
  add column reuses_iterations boolean not null default false;

alter table task_runs
  -- Handed out and given back before user code began.
  add column free_dispatches integer not null default 0,
  -- Attempts of the same task that began before, repairs included.
  add column earlier_attempts integer not null default 0,
  -- Of an iteration: the attempt of the for-each that made it, and its input.
  add column parent_attempt_id bigint,
  add column input jsonb,
  -- Of a for-each, once expanded.
  add column inputs jsonb,
  add column reused_iterations jsonb,
  -- Of a condition or a guarded task, once evaluated: left, right, outcome.
  add column condition jsonb,
  -- Of a task whose work is another run.
  add column child_run_id bigint;

create index task_runs_iterations on task_runs (parent_attempt_id, iteration, attempt)
  where parent_attempt_id is not null;
-- Only tasks that start another job's run stay `ready` beyond the batch that made them so.
create index task_runs_ready on task_runs (queued_at_ms, attempt_id) where state = 'ready';
create index task_runs_children on task_runs (child_run_id)
  where state = 'running_parts' and child_run_id is not null;

-- Definitions made before this: edges were plain keys, and all work was done by workers.
update run_generations g
set definition = jsonb_set(
  g.definition,
  '{tasks}',
  (
    select coalesce(jsonb_agg(
      task || jsonb_build_object(
        'work', jsonb_build_object('kind', 'attempt'),
        'guarded', false,
        'dependsOn', (
          select coalesce(jsonb_agg(jsonb_build_object('key', edge, 'outcome', null)), '[]')
          from jsonb_array_elements_text(task -> 'dependsOn') edge
        )
      ) order by position), '[]')
    from jsonb_array_elements(g.definition -> 'tasks') with ordinality as tasks (task, position)
  )
)
where not jsonb_path_exists(g.definition, '$.tasks[*].work');
