-- The last revisions of streams that are there. $1 uuid[] stream keys
select stream_key, max(revision) as revision from {schema}.event where stream_key = any($1) group by stream_key
