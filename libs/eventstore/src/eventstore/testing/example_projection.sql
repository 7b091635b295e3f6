-- One row an event. No key, so that an event applied twice is seen twice.
create table {schema}.sighting (
  event_id uuid not null,
  tenant text not null,
  position bigint not null
);
alter table {schema}.sighting enable row level security;
create policy tenant on {schema}.sighting
  using ((select current_setting('careline.tenant', true)) in (tenant, '*'));
grant select, insert on {schema}.sighting to {runtime_role};
