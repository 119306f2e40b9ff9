-- What did not open when a change of keys last went through: such a key cannot retire until these are put again.
alter table retiring_secret_keys add column unreadable integer not null default 0;
