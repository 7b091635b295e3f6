revoke all on all functions in schema {schema} from public;
grant usage on schema {schema} to {runtime_role};
grant select, insert on {schema}.event to {runtime_role};
grant usage on sequence {schema}.event_position to {runtime_role};
grant select on {schema}.log_state to {runtime_role};
-- It feeds builds; which one is live is the owner's to say.
grant select, update (position, moved_at) on {schema}.projection_build to {runtime_role};
grant execute on all functions in schema {schema} to {runtime_role};
