-- Up to where the stream has acknowledged the log, as it is since its last restore; no row before. No parameters.
select position from {schema}.relay_checkpoint where epoch = (select epoch from {schema}.log_state)
