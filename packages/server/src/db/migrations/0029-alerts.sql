-- Alerts of both forms, and how their states have changed. One in the trash keeps its row until it is purged.
create table alerts (
  alert_id text primary key,
  -- query: a condition on a saved query; text: a query with a schedule of its own.
  form text not null,
  display_name text not null,
  parent_path text not null,
  -- All else, as it was written.
  fields jsonb not null,
  owner_id bigint not null,
  owner_user_name text not null,
  state text not null,
  triggered_at_ms bigint,
  -- When an event of it was due last, since it became TRIGGERED.
  told_at_ms bigint,
  evaluated_at_ms bigint,
  created_at_ms bigint not null,
  updated_at_ms bigint not null,
  trashed_at_ms bigint
);
create unique index alerts_by_name on alerts (parent_path, display_name) where trashed_at_ms is null;
create index alerts_by_age on alerts (form, created_at_ms desc, alert_id desc) where trashed_at_ms is null;

-- Notifications will hang on those that are due.
create table alert_events (
  event_id bigint generated always as identity primary key,
  alert_id text not null references alerts on delete cascade,
  -- That evaluated it.
  attempt_id bigint not null,
  from_state text not null,
  to_state text not null,
  value jsonb,
  message text,
  is_due boolean not null,
  subscriptions jsonb not null,
  at_ms bigint not null
);
create index alert_events_by_alert on alert_events (alert_id, event_id desc);
