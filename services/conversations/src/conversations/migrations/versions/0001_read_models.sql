-- What is kept of conversations besides their log and what is made of it. {schema} the service's schema, {runtime_role}
-- what its sessions are. Columns named sealed_… hold what only sealing opens, under the conversation's key.

-- One-time codes. No log has them; address and code are null once the frontend took them.
create table {schema}.one_time_code (
  tenant text not null,
  delivery text not null,
  conversation text not null,
  channel text not null,
  frontend text not null,
  digest bytea not null,
  sealed_address bytea,
  sealed_code bytea,
  expire_time timestamptz not null,
  primary key (tenant, delivery)
);
create index on {schema}.one_time_code (tenant, frontend);
create index on {schema}.one_time_code (expire_time);

alter table {schema}.one_time_code enable row level security;
create policy tenant on {schema}.one_time_code
  using ((select current_setting('careline.tenant', true)) in (tenant, '*'));

grant select, insert, update, delete on {schema}.one_time_code to {runtime_role};
