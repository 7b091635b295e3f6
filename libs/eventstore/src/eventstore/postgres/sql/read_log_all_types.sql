-- One page of the log, of all types, oldest first: read_log_forwards without what choosing types costs.
--   $1 bigint after this position   $2 bigint up to this one, a safe position asked for by an earlier statement
--   $3 int    events at most        $4 bigint stop after the event that reaches so many bytes
-- Gives events; the first says which position comes before it, each other one comes after the row above it.
select position, tenant, stream, revision, event_id, type, data, metadata, recorded_at, digest,
       case when bytes_before = 0 then coalesce(
         (select p.position from {schema}.event p where p.position <= $1 order by p.position desc limit 1), 0) end
         as previous_position
  from (
    select e.*,
           sum(octet_length(e.data) + octet_length(e.metadata)) over (order by e.position rows unbounded preceding)
             - octet_length(e.data) - octet_length(e.metadata) as bytes_before
      from (select * from {schema}.event where position > $1 and position <= $2 order by position limit $3) e
  ) e
 where bytes_before < $4
 order by position
