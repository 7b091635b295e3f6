-- One page of a stream, oldest first.
--   $1 uuid stream key   $2 text tenant   $3 text stream   $4 bigint from this revision on   $5 bigint up to this one
--   $6 int events        $7 bigint stop after the event that reaches so many bytes
-- Gives events, each with the position before it in the whole log, -1 where that is not settled yet.
with f as materialized (select {schema}.floor_position() as floor)
select e.position, {schema}.position_before(e.position, f.floor) as previous_position, e.tenant, e.stream, e.revision,
       e.event_id, e.type, e.data, e.metadata, e.recorded_at, e.digest
  from (
    select e.*,
           sum(octet_length(e.data) + octet_length(e.metadata)) over (order by e.revision)
             - octet_length(e.data) - octet_length(e.metadata) as bytes_before
      from (select * from {schema}.event
             where stream_key = $1 and tenant = $2 and stream = $3 and revision >= $4 and revision <= $5
             order by revision limit $6) e
  ) e, f
 where e.bytes_before < $7
 order by e.revision
