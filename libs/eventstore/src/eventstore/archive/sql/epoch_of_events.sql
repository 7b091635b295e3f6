-- The log's epoch if there is anything in it, else null. No parameters.
select (select epoch from {schema}.log_state where exists (select from {schema}.event)) as epoch
