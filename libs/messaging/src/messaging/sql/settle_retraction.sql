-- Notes that what was handled of retracted events is undone. Parameters: consumer, source, epoch from, epoch to.
update {schema}.retraction set settled_at = now()
 where consumer = $1 and source = $2 and from_epoch = $3 and to_epoch = $4 and settled_at is null
returning after_position, until_position
