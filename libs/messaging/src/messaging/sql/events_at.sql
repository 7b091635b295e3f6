-- Which events the log has at these positions. $1 bigint[] positions
select position, event_id from {schema}.event where position = any($1)
