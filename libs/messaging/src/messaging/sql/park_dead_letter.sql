-- Keeps an event that a consumer gave up on. Parameters: the columns in this order.
insert into {schema}.dead_letter (
  consumer, source, epoch, position, previous_position, tenant, stream, revision, event_id, type, data, metadata,
  recorded_at, traceparent, tracestate, reason, error_type, attempts)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
