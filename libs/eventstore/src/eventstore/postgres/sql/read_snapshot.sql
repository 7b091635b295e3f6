-- A state kept of a stream, if it was taken in the log's present epoch.
--   $1 uuid stream key   $2 text tenant   $3 text stream   $4 text decider   $5 text code version
select s.revision, s.position, s.state, s.digest
  from {schema}.snapshot s
  join {schema}.log_state l on l.epoch = s.epoch
 where s.stream_key = $1 and s.tenant = $2 and s.stream = $3 and s.decider = $4 and s.code_version = $5
