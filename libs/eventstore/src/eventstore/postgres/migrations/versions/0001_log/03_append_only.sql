-- Stops the owner's accidents; the runtime role has no such rights to begin with. Nothing fires on INSERT.
create function {schema}.refuse_change() returns trigger language plpgsql as $$
begin
  raise exception using errcode = 'ES002',
    message = format('%s of %I.%I is refused: the log is append-only', tg_op, tg_table_schema, tg_table_name);
end $$;

create trigger append_only before update or delete on {schema}.event
  for each statement execute function {schema}.refuse_change();
create trigger append_only_truncate before truncate on {schema}.event
  for each statement execute function {schema}.refuse_change();
