-- Makes a projection's checkpoint at the start of the log, in the log's present epoch, unless it is there.
--   $1 text projection   $2 int version
insert into {schema}.projection_checkpoint (projection, version, epoch, position)
select $1, $2, epoch, 0 from {schema}.log_state
on conflict do nothing
