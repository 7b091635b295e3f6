-- Appends requests, all or nothing each, in one autocommit statement; READ COMMITTED only.
-- A part is one stream of one request. A request lands if every part's stream is as expected.
--
-- Parts:  $1 int[]    request of the part      $2 uuid[]   stream key
--         $3 bigint[] expected revision        $4 int[]    number of its events
-- Rows:   $5 int[]    part of the event, from 1   $6 int[]   its ordinal in the part, from 0
--         $7 uuid[]   event id    $8 text[] tenant   $9 text[] stream   $10 text[] type
--         $11 bytea[] data        $12 bytea[] metadata   $13 bytea[] digest
-- Expected: n >= 0 exactly n, -1 no stream, -2 any, -4 a stream, -3 no stream, of a request of a single event
--           (no probe then: the unique key answers).
-- Gives for each part: i its number, got how many events landed, head the revision found, last the last position.
-- A part landed if got is the number of its events. Raises ES001, detail = requests, when some landed in part only.
with part as materialized (
  -- The heads, and whether they are as expected, from the snapshot that the insert uses too.
  select u.i, u.req, u.s, u.n, h.head,
         bool_and(case u.x when -2 then true when -3 then true when -1 then h.head is null
                           when -4 then h.head is not null else coalesce(h.head = u.x, false) end)
           over (partition by u.req) as go
    from unnest($1::int[], $2::uuid[], $3::bigint[], $4::int[]) with ordinality u(req, s, x, n, i)
    left join lateral (
      select e.revision as head from {schema}.event e
       where e.stream_key = u.s and u.x <> -3 order by e.revision desc limit 1
    ) h on true
), base as materialized (
  select array_agg(case when go then coalesce(head, -1) else -9 end order by i) as rev from part
), fence as materialized (
  select {schema}.hold_floor() as held
), fresh as (
  -- In one order of the unique keys for everybody, so that two statements cannot wait for each other.
  select ($2::uuid[])[u.part] as s, base.rev[u.part] + 1 + u.ord as r, fence.held, u.*
    from fence, base,
         unnest($5::int[], $6::int[], $7::uuid[], $8::text[], $9::text[], $10::text[], $11::bytea[], $12::bytea[],
                $13::bytea[]) u(part, ord, id, tenant, stream, type, data, metadata, digest)
   where fence.held and base.rev[u.part] > -9
   order by s, r
), ins as (
  -- nextval depends on the fence by data: no plan can call it first. The unique keys judge the races.
  insert into {schema}.event
    (position, tenant, stream, stream_key, revision, event_id, type, data, metadata, digest)
  select nextval(case when held then '{schema}.event_position'::regclass end),
         tenant, stream, s, r, id, type, data, metadata, digest
    from fresh
  on conflict do nothing
  returning stream_key, position
), tally as (
  select s, max(i) as i, max(req) as req, max(want) as want, count(last)::int as got, max(head) as head,
         max(last) as last
    from (select s, i, req, n as want, head, null::bigint as last from part
          union all
          select stream_key, null, null, null, null, position from ins) u
   group by s
), verdict as materialized (
  select *, sum(got) over (partition by req) as g, sum(want) over (partition by req) as w from tally
)
select i, got, head, last,
       (select {schema}.torn(array_agg(distinct req)) from verdict where g <> 0 and g <> w having count(*) > 0) as torn
  from verdict
