-- The log's epoch and the position up to which it is complete. No parameters; never join events to it: they are to be
-- read by a later statement, with a newer snapshot.
select epoch, {schema}.safe_position() as position from {schema}.log_state
