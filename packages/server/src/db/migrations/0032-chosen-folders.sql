-- Folders that were chosen for managed tables whose names are not known yet: what is killed before leaves files there.
create table chosen_folders (
  id bigint generated always as identity primary key,
  folder text not null,
  -- Of the task that asked: once it has ended nobody writes there any more.
  attempt_id bigint,
  chosen_at_ms bigint not null
);
create index chosen_folders_by_folder on chosen_folders using hash (folder);
create index chosen_folders_by_age on chosen_folders (chosen_at_ms);
