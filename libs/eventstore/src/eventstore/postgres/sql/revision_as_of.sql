-- The last revision of a stream within bounds, each of which may be null; no row when there is none.
--   $1 uuid stream key   $2 text tenant   $3 text stream
--   $4 bigint revision   $5 bigint position   $6 timestamptz recorded at
-- "+ 0" keeps a plan from going through the log by position instead of through the stream.
-- Not the first event beyond them: a clock set back leaves events that are older than the ones before them.
select e.revision
  from {schema}.event e
 where e.stream_key = $1 and e.tenant = $2 and e.stream = $3
   and e.revision <= coalesce($4, 9223372036854775807)
   and ($5::bigint is null or e.position + 0 <= $5)
   and ($6::timestamptz is null or e.recorded_at <= $6)
 order by e.revision desc limit 1
