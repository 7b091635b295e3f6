-- Moves a build, if it is where its feeder left it, is still the feeder's to feed, and the log was not restored since.
--   $1 text projection   $2 int build   $3 bigint epoch   $4 bigint from position   $5 bigint to position
--   $6 boolean the service's own runner feeds the live build, and nothing else
-- All but the epoch is asked of the row itself: who waits here for a switch is judged by what it left.
update {schema}.projection_build
   set position = $5, moved_at = now()
 where projection = $1 and build = $2 and epoch = $3 and position = $4 and (state = 'live') = $6
   and epoch = (select epoch from {schema}.log_state)
returning position
