-- Events by id: $1 uuid[]. In order of position; unknown ids are left out.
-- Gives events, each with the position before it in the whole log, -1 where that is not settled yet.
with f as materialized (select {schema}.floor_position() as floor)
select e.position, {schema}.position_before(e.position, f.floor) as previous_position, e.tenant, e.stream, e.revision,
       e.event_id, e.type, e.data, e.metadata, e.recorded_at, e.digest
  from (select e.* from unnest($1::uuid[]) u(id) join {schema}.event e on e.event_id = u.id) e, f
 order by e.position
