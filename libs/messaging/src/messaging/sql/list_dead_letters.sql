-- A page of dead letters in the order they were parked; discarded ones only when asked for.
--   $1 bigint after id   $2 int limit   $3 text consumer or null for all   $4 boolean with those discarded
select id, consumer, source, epoch, position, previous_position, tenant, stream, revision, event_id, type, data,
       metadata, recorded_at, traceparent, tracestate, reason, error_type, attempts, parked_at, discarded_at,
       discard_reason
  from {schema}.dead_letter
 where id > $1 and ($3::text is null or consumer = $3) and ($4 or discarded_at is null)
 order by id limit $2
