-- Takes a lock that lasts as long as the session, if nobody holds it. Two-key form: the one-key space is the log's fences.
--   $1 int   $2 int
select pg_try_advisory_lock($1, $2) as held
