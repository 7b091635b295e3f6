-- Makes a consumer's row if it never ran. Parameters: consumer, source.
insert into {schema}.consumer_position (consumer, source, epoch, position) values ($1, $2, 0, 0)
on conflict do nothing
