-- Notes that a log was restored: what was appended after the copy was taken is another history. For the log's owner.
--   $1 bigint no position up to this one is given out again   $2 bigint the head of the restored log
-- Projections are in the same database and went back with it: those that are not beyond the head still fit.
with raised as (
  update {schema}.log_state set epoch = epoch + 1 returning epoch
), carried as (
  update {schema}.projection_build p set epoch = r.epoch
    from raised r where p.epoch = r.epoch - 1 and p.position <= $2
)
select epoch, setval('{schema}.event_position',
                     greatest($1, coalesce(pg_sequence_last_value('{schema}.event_position'), 1)))
  from raised
