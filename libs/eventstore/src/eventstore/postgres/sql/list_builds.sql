-- All builds of a projection with the size of their tables and indexes in bytes: $1 text projection
select b.*,
       (select coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint from pg_class c
         where c.relkind = 'r' and c.relnamespace = to_regnamespace(b.place)) as size
  from {schema}.projection_build b where projection = $1 order by build
