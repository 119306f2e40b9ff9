-- Each heartbeat asks what is recorded of its worker's hosts: those that are there, and those that it tells of.
create index cluster_hosts_there on cluster_hosts (worker_id) where state in ('starting', 'running');
create index cluster_hosts_by_key on cluster_hosts (host_key, worker_id);
