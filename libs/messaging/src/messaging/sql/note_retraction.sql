-- Keeps what a restored log took from a consumer; again changes nothing. Gives whether it is settled.
--   $1 text consumer   $2 text source   $3 bigint epoch from   $4 bigint epoch to   $5 bigint after position
--   $6 bigint until position
insert into {schema}.retraction (consumer, source, from_epoch, to_epoch, after_position, until_position)
values ($1, $2, $3, $4, $5, $6)
on conflict (consumer, source, from_epoch, to_epoch) do update set until_position = excluded.until_position
returning settled_at is not null as is_settled
