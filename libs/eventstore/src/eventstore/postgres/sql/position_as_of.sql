-- The last position of what was recorded until a time: $1 timestamptz time
select coalesce(max(position), 0) as position from {schema}.event where recorded_at <= $1
