-- Whether there is anything in the log. No parameters.
select exists (select from {schema}.event) as found
