-- The mistake that the oracle must catch: a follower without the fence. $1 bigint after this position.
select position, event_id, lag(position, 1, $1) over (order by position) as previous_position
  from (select position, event_id from {schema}.event where position > $1 order by position limit 500) e
 order by position
