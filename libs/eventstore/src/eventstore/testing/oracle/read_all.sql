-- The whole log as it is, when nobody writes any more. No parameters.
select position, stream, revision, event_id, data from {schema}.event order by position
