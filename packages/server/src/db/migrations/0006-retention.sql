-- Runs that were taken out of sight, by a person or by age: what is left of them goes in small steps.
create index runs_deleted on runs (deleted_at_ms, run_id) where deleted_at_ms is not null;
