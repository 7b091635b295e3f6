-- What the trail is asked for: who saw whose data, who did what, and how far it has followed each log.
-- {schema} the schema of one build, {runtime_role} what the service's sessions are.

create table {schema}.access (
  tenant text not null,
  service text not null,
  epoch bigint not null,
  position bigint not null,
  event_id uuid not null,
  record text not null,
  patient text not null,
  recipient_kind smallint not null,
  recipient text not null,
  action text not null,
  purpose_of_use text not null,
  resource_types text[] not null,
  conversation text not null,
  caller_level text not null,
  disclose_time timestamptz not null,
  trace_id text not null,
  primary key (tenant, service, epoch, position)
);
create index on {schema}.access (tenant, patient, disclose_time);
create index on {schema}.access (tenant, recipient, disclose_time);

create table {schema}.action (
  tenant text not null,
  service text not null,
  epoch bigint not null,
  position bigint not null,
  event_id uuid not null,
  type text not null,
  stream text not null,
  actor_kind smallint not null,
  actor text not null,
  action text not null,
  purpose_of_use text not null,
  record_time timestamptz not null,
  trace_id text not null,
  primary key (tenant, service, epoch, position)
);
create index on {schema}.action (tenant, record_time);
create index on {schema}.action (tenant, trace_id, record_time);
create index on {schema}.action (tenant, stream, record_time);
create index on {schema}.action (tenant, actor, record_time);

-- One row a source, over all tenants: holds positions only.
create table {schema}.coverage (
  service text primary key,
  epoch bigint not null,
  position bigint not null,
  take_in_time timestamptz not null
);

alter table {schema}.access enable row level security;
alter table {schema}.action enable row level security;
create policy tenant on {schema}.access
  using (current_setting('careline.tenant', true) in (tenant, '*'));
create policy tenant on {schema}.action
  using (current_setting('careline.tenant', true) in (tenant, '*'));

grant select, insert on {schema}.access, {schema}.action to {runtime_role};
grant select, insert, update on {schema}.coverage to {runtime_role};
