-- Which of these events are there. $1 uuid[] event ids
select event_id from {schema}.event where event_id = any($1)
