-- Begins an epoch of a restored log: what was appended after the copy was taken is another history. For the log's owner.
--   $1 bigint an epoch that was used elsewhere, 0 for none   $2 bigint no position up to this one is given out again
--   $3 bigint the head of the restored log; projections in the same database went back with it, and those that are not
--   beyond the head still fit: -1 when none was there
with raised as (
  update {schema}.log_state set epoch = greatest(epoch, $1) + 1 returning epoch
), carried as (
  update {schema}.projection_build p set epoch = r.epoch
    from raised r where p.epoch = r.epoch - 1 and p.position <= $3
)
select epoch, setval('{schema}.event_position',
                     greatest($2, coalesce(pg_sequence_last_value('{schema}.event_position'), 1)))
  from raised
