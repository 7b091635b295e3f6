-- The second version: a row says more of its event, and there is a count beside it.
create table {schema}.sighting (
  event_id uuid not null,
  tenant text not null,
  position bigint not null,
  revision bigint not null
);
create table {schema}.tally (
  tenant text primary key,
  events bigint not null
);
alter table {schema}.sighting enable row level security;
alter table {schema}.tally enable row level security;
create policy tenant on {schema}.sighting
  using ((select current_setting('careline.tenant', true)) in (tenant, '*'));
create policy tenant on {schema}.tally
  using ((select current_setting('careline.tenant', true)) in (tenant, '*'));
grant select, insert on {schema}.sighting to {runtime_role};
grant select, insert, update on {schema}.tally to {runtime_role};
