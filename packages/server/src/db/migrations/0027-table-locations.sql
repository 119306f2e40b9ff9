-- Whether another table lives at a location is asked for each new one. By hash: a location may be longer than an entry of a
-- B-tree, and a table must not be refused for that, neither when it is made nor when it is dropped.
create index tables_by_location on tables using hash (storage_location);
drop index dropped_tables_by_location;
create index dropped_tables_by_location on dropped_tables using hash (storage_location);
