-- Begins an epoch of the log that neither it nor its archive nor its stream has had. $1 bigint the newest of those
update {schema}.log_state set epoch = greatest(epoch, $1) + 1 returning epoch
