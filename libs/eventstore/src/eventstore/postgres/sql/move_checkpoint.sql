-- Moves a projection's checkpoint, if it is where this runner left it and the log was not restored since.
--   $1 text projection   $2 int version   $3 bigint epoch   $4 bigint from position   $5 bigint to position
update {schema}.projection_checkpoint
   set position = $5, moved_at = now()
 where projection = $1 and version = $2 and epoch = $3 and position = $4
   and epoch = (select epoch from {schema}.log_state)
returning position
