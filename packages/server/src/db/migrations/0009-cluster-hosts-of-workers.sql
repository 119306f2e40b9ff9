-- A cluster has a host of its own on each worker that runs tasks of it: one must not speak for the other.
alter table cluster_hosts drop constraint cluster_hosts_pkey;
alter table cluster_hosts add primary key (cluster_id, host_key, worker_id);
