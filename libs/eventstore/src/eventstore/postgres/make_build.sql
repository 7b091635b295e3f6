-- Begins a build: a place for its tables, which the projection's own script makes there then, and its row.
create schema {place};
grant usage on schema {place} to {runtime_role};
insert into {schema}.projection_build (projection, build, version, place, state, until, epoch)
select '{projection}', {build}, {version}, '{place_name}', '{state}', {until}, epoch from {schema}.log_state;
