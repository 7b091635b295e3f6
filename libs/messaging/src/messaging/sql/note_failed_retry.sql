-- Notes that a dead letter failed again. Parameters: id, reason, error type.
update {schema}.dead_letter set attempts = attempts + 1, reason = $2, error_type = $3 where id = $1
