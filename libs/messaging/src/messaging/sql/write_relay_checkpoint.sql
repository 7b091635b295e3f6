-- Moves the relay's checkpoint. It goes back when the stream lost what it had acknowledged.
--   $1 bigint epoch   $2 bigint position
insert into {schema}.relay_checkpoint (epoch, position) values ($1, $2)
on conflict (one) do update set epoch = excluded.epoch, position = excluded.position, moved_at = now()
