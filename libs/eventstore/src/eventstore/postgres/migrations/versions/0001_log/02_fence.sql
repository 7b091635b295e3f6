-- The floor fence. A writer, before its first nextval, takes a shared lock that names the sequence value it saw;
-- a reader stops at the lowest value so named. {log_number} keeps the logs of one database apart.

-- Take the fence: its key is the log's number (upper 16 bits) and the sequence value (lower 48).
create function {schema}.hold_floor() returns boolean language sql volatile as $$
  select pg_advisory_xact_lock_shared(
           ({log_number}::bigint << 48) | coalesce(pg_sequence_last_value('{schema}.event_position'), 0)
         ) is not null
$$;

-- Nothing at or below the floor can appear later, as long as the server does not crash.
create function {schema}.floor_position() returns bigint language plpgsql volatile as $$
declare
  issued bigint;
  fenced bigint;
begin
  -- Both would answer wrongly without a word: no advisory locks are seen there, no sequence value is read here.
  if pg_is_in_recovery() or not has_sequence_privilege('{schema}.event_position', 'usage, select') then
    raise exception 'floor_position needs the primary and USAGE on {schema}.event_position';
  end if;
  -- First the sequence, then the locks: a writer in between has taken its fence, or its numbers are above.
  issued := coalesce(pg_sequence_last_value('{schema}.event_position'), 0);
  select min(((k.classid::bigint << 32) | k.objid::bigint) & ((1::bigint << 48) - 1)) into fenced
    from pg_locks k
   where k.locktype = 'advisory' and k.objsubid = 1 and k.granted
     and k.database = (select oid from pg_database where datname = current_database())
     and (k.classid::bigint >> 16) = {log_number};
  return least(issued, coalesce(fenced, issued));
end $$;

-- A session that sees one tenant would take that tenant's last event for the log's, without a word.
create function {schema}.need_whole_log() returns void language plpgsql stable as $$
begin
  if current_setting('careline.tenant', true) is distinct from '*' then
    raise exception 'positions of the whole log need careline.tenant = ''*''';
  end if;
end $$;

-- The last committed position at or below the floor. It survives a crash, as the floor does not: numbers used only by
-- aborted appends are issued again after one.
create function {schema}.safe_position() returns bigint language plpgsql volatile as $$
declare
  floor bigint;
begin
  perform {schema}.need_whole_log();
  floor := {schema}.floor_position();
  -- A statement of its own, hence a newer snapshot than the floor.
  return coalesce(
    (select position from {schema}.event where position <= floor order by position desc limit 1), 0);
end $$;

-- The position before an event's, or -1 while an append in flight may still land between the two.
-- Volatile, so that its snapshot is newer than the floor it is given.
create function {schema}.position_before(event_position bigint, floor bigint) returns bigint
  language plpgsql volatile as $$
begin
  perform {schema}.need_whole_log();
  if event_position > floor then
    return -1;
  end if;
  return coalesce(
    (select position from {schema}.event where position < event_position order by position desc limit 1), 0);
end $$;

-- Ends an append of which a part landed and a part did not; the detail lists the torn requests.
create function {schema}.torn(requests int[]) returns int language plpgsql as $$
begin
  raise exception using errcode = 'ES001', message = 'torn', detail = array_to_string(requests, ',');
end $$;
