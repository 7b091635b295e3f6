-- One dead letter of a consumer, locked until the transaction ends; none when another retries it, or it is discarded.
--   $1 bigint id   $2 text consumer
select id, consumer, source, epoch, position, previous_position, tenant, stream, revision, event_id, type, data,
       metadata, recorded_at, traceparent, tracestate, reason, error_type, attempts, parked_at, discarded_at,
       discard_reason
  from {schema}.dead_letter
 where id = $1 and consumer = $2 and discarded_at is null
   for update skip locked
