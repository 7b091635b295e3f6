-- Lets the next event have a position beyond one. $1 bigint position
select setval('{schema}.event_position', $1)
