-- Keeps a state of a stream, in place of the one before, if the log holds its last event. States of other code are let go
-- after a week: while a version is being deployed, both keep theirs.
--   $1 uuid stream key   $2 text tenant   $3 text stream   $4 text decider   $5 text code version
--   $6 bigint revision   $7 bigint position   $8 bytea state   $9 bytea digest
with gone as (
  delete from {schema}.snapshot
   where stream_key = $1 and decider = $4 and code_version <> $5 and taken_at < now() - interval '7 days'
)
insert into {schema}.snapshot
  (stream_key, tenant, stream, decider, code_version, epoch, revision, position, state, digest)
select $1, $2, $3, $4, $5, l.epoch, $6, $7, $8, $9
  from {schema}.log_state l
  join {schema}.event e on e.stream_key = $1 and e.revision = $6 and e.position = $7
on conflict (stream_key, decider, code_version) do update
   set tenant = excluded.tenant, stream = excluded.stream, epoch = excluded.epoch, revision = excluded.revision,
       position = excluded.position, state = excluded.state, digest = excluded.digest,
       taken_at = excluded.taken_at
