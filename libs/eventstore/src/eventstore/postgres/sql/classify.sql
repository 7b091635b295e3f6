-- Tells why events did not land. Its own statement after the append: its snapshot sees what stood in the way.
--   $1 int[]  part of the event, from 1   $2 int[] its ordinal in the part, from 0   $3 uuid[] stream key of the part
--   $4 uuid[] event id                    $5 text[] type                             $6 bytea[] digest
-- Gives for each event, in the order given: part; where its id is (revision, position), found whether it is anywhere,
-- same whether it is the same event of the same request; for a part's first event the stream's head.
select u.part, e.revision, e.position, e.event_id is not null as found,
       coalesce(e.stream_key = u.s and e.type = u.type and e.digest = u.digest, false) as same,
       case when u.ord = 0 then (
         select h.revision from {schema}.event h where h.stream_key = u.s order by h.revision desc limit 1
       ) end as head
  from unnest($1::int[], $2::int[], $3::uuid[], $4::uuid[], $5::text[], $6::bytea[])
         with ordinality u(part, ord, s, id, type, digest, k)
  left join lateral (select * from {schema}.event e where e.event_id = u.id limit 1) e on true
 order by u.k
