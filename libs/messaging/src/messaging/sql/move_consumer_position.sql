-- Moves a consumer's position, if it is where this consumer left it; a rival waits here until the transaction ends.
--   $1 text consumer   $2 text source   $3 bigint epoch from   $4 bigint position from   $5 bigint epoch to
--   $6 bigint position to
update {schema}.consumer_position
   set epoch = $5, position = $6, moved_at = now()
 where consumer = $1 and source = $2 and epoch = $3 and position = $4
returning position
