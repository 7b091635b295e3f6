-- All builds with the size of their tables and indexes in bytes: $1 text the projection whose, null for all
select b.*,
       (select coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint from pg_class c
         where c.relkind = 'r' and c.relnamespace = to_regnamespace(b.place)) as size
  from {schema}.projection_build b where $1::text is null or projection = $1 order by projection, build
