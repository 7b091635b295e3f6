-- One page of the log, oldest first.
--   $1 bigint after this position   $2 bigint up to this one, a safe position asked for by an earlier statement
--   $3 int    events to look at     $4 bigint stop after the event that reaches so many bytes
--   $5 text[] only of these types, null for all
-- Gives events, each with the position before it in the whole log; one row of nulls but read_to when none is of the
-- types. read_to is the last position looked at, null when there was none.
with page as materialized (
  select * from (
    select e.*,
           lag(e.position, 1, coalesce(
             (select p.position from {schema}.event p where p.position <= $1 order by p.position desc limit 1), 0))
             over (order by e.position) as previous_position,
           sum(octet_length(e.data) + octet_length(e.metadata)) over (order by e.position)
             - octet_length(e.data) - octet_length(e.metadata) as bytes_before
      from (select * from {schema}.event where position > $1 and position <= $2 order by position limit $3) e
  ) e
   where bytes_before < $4
)
select p.position, p.previous_position, p.tenant, p.stream, p.revision, p.event_id, p.type, p.data, p.metadata,
       p.recorded_at, p.digest, t.read_to
  from (select max(position) as read_to from page) t
  left join page p on $5::text[] is null or p.type = any($5)
 order by p.position
