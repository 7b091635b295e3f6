-- A session sees the tenant that it names, none when it names none, and all when it says '*', as the log itself does.
-- The setting is read once a statement: a scalar subquery is no per-row call.
alter table {schema}.event enable row level security;
create policy tenant on {schema}.event
  using (
    (select current_setting('careline.tenant', true)) = '*'
    or tenant = (select current_setting('careline.tenant', true))
  );
