-- Gives a dead letter up, for a reason that is kept with it. Parameters: id, reason.
update {schema}.dead_letter set discarded_at = now(), discard_reason = $2
 where id = $1 and discarded_at is null
returning id
