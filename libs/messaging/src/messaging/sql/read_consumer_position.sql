-- Parameters: consumer, source.
select epoch, position from {schema}.consumer_position where consumer = $1 and source = $2
