-- The generation in which a cluster was resized: while it is the present one, hosts have the size that was before.
alter table clusters add column resized_in_generation integer;
