-- Begins an epoch of the log that neither it nor its archive has had. $1 bigint the archive's newest epoch
update {schema}.log_state set epoch = greatest(epoch, $1) + 1 returning epoch
