-- Gives up dead letters of events that a restored log no longer has. For a session that sees all tenants.
--   $1 text consumer   $2 text source   $3 bigint epoch from   $4 bigint after position
update {schema}.dead_letter set discarded_at = now(), discard_reason = 'RETRACTED'
 where consumer = $1 and source = $2 and epoch <= $3 and position > $4 and discarded_at is null
