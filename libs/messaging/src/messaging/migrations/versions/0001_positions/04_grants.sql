grant usage on schema {schema} to {runtime_role};
grant select, insert, update on {schema}.relay_checkpoint to {runtime_role};
grant select, insert, update on {schema}.consumer_position to {runtime_role};
grant select, insert, update, delete on {schema}.dead_letter to {runtime_role};
