-- Makes a build the live one: its state and the views in one statement. For the owner alone, hence after the grants.
-- A runner that feeds the build before waits for its row and finds that it is live no more. Views of the same columns are
-- replaced, so that whoever reads by them meets neither an error nor a gap.
create function {schema}.switch_projection(named text, chosen int) returns void language plpgsql as $$
declare
  was {schema}.projection_build;
  becomes {schema}.projection_build;
begin
  select * into was from {schema}.projection_build where projection = named and state = 'live' for update;
  select * into becomes from {schema}.projection_build where projection = named and build = chosen for update;
  if becomes.state is null or becomes.state not in ('ready', 'kept') then
    raise exception 'only a build that was compared, or was live before, can be switched to' using errcode = 'CL001';
  end if;
  if becomes.epoch <> (select epoch from {schema}.log_state) or (was.epoch = becomes.epoch and becomes.position < was.position) then
    raise exception 'the build is behind the live one' using errcode = 'CL002';
  end if;
  update {schema}.projection_build set state = 'kept' where projection = named and build = was.build;
  update {schema}.projection_build set state = 'live' where projection = named and build = chosen;
  perform {schema}.show_build(was.place, becomes.place);
end $$;

-- Has the views of this schema show the tables of one place; those of another place that it lacks go.
create function {schema}.show_build(was text, becomes text) returns void language plpgsql as $$
declare
  shown record;
  reader record;
begin
  for shown in
    select c.oid, c.relname, {schema}.columns_of(c.oid) as columns,
           (select v.oid from pg_catalog.pg_class v
             where v.relnamespace = '{schema}'::regnamespace and v.relname = c.relname) as view
      from pg_catalog.pg_class c
     where c.relkind = 'r' and c.relnamespace = pg_catalog.to_regnamespace(becomes)
  loop
    if shown.view is not null and shown.columns <> {schema}.columns_of(shown.view) then
      execute format('drop view {schema}.%I', shown.relname);
    end if;
    execute format('create or replace view {schema}.%I with (security_invoker = true) as select * from %I.%I',
                   shown.relname, becomes, shown.relname);
    for reader in
      select a.grantee::regrole as role from pg_catalog.pg_class c, pg_catalog.aclexplode(c.relacl) a
       where c.oid = shown.oid and a.privilege_type = 'SELECT' and a.grantee <> c.relowner
    loop
      execute format('grant select on {schema}.%I to %s', shown.relname, reader.role);
    end loop;
  end loop;
  for shown in
    select c.relname from pg_catalog.pg_class c
     where c.relkind = 'r' and c.relnamespace = pg_catalog.to_regnamespace(was)
       and not exists (select from pg_catalog.pg_class n
                        where n.relkind = 'r' and n.relname = c.relname
                          and n.relnamespace = pg_catalog.to_regnamespace(becomes))
  loop
    execute format('drop view {schema}.%I', shown.relname);
  end loop;
end $$;

create function {schema}.columns_of(relation oid) returns text language sql stable as $$
  select string_agg(format('%I %s', attname, format_type(atttypid, atttypmod)), ',' order by attnum)
    from pg_catalog.pg_attribute where attrelid = relation and attnum > 0 and not attisdropped
$$;

revoke all on function {schema}.switch_projection(text, int), {schema}.show_build(text, text), {schema}.columns_of(oid)
  from public;
