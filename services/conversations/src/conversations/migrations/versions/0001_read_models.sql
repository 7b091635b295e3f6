-- What is read of conversations besides their log. {schema} the service's schema, {runtime_role} what its sessions are.
-- Columns named sealed_… hold what only sealing opens, under the conversation's key.

create table {schema}.conversation (
  tenant text not null,
  conversation text not null,
  state text not null,
  channels text[] not null,
  holder_kind text not null,
  holder text not null,
  epoch int not null,
  patient text not null,
  caller_level text not null,
  disposition text not null,
  create_time timestamptz not null,
  close_time timestamptz,
  revision bigint not null,
  primary key (tenant, conversation)
);
create index on {schema}.conversation (tenant, create_time desc, conversation desc);
create index on {schema}.conversation (tenant, patient, create_time desc, conversation desc) where patient <> '';

-- Who sees a conversation in lists: frontends that serve it, agents who hold or held control.
create table {schema}.conversation_party (
  tenant text not null,
  principal text not null,
  create_time timestamptz not null,
  conversation text not null,
  primary key (tenant, principal, create_time, conversation)
);

-- Where the person is reached by a channel: the address that was given last.
create table {schema}.channel_address (
  tenant text not null,
  conversation text not null,
  channel text not null,
  sealed_address bytea not null,
  is_over boolean not null,
  primary key (tenant, conversation, channel)
);

-- Messages that wait for their frontend (QUEUED), and what is left of those that it sent (SENT).
create table {schema}.outbox (
  tenant text not null,
  delivery text not null,
  conversation text not null,
  message text not null,
  channel text not null,
  frontend text not null,
  position bigint not null,
  status text not null,
  sealed_text bytea,
  expire_time timestamptz not null,
  report_time timestamptz,
  primary key (tenant, delivery)
);
create index on {schema}.outbox (tenant, frontend, position) where status = 'QUEUED';
create index on {schema}.outbox (expire_time) where status = 'QUEUED';
create index on {schema}.outbox (report_time) where status = 'SENT';
create index on {schema}.outbox (tenant, conversation);

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

alter table {schema}.conversation enable row level security;
alter table {schema}.conversation_party enable row level security;
alter table {schema}.channel_address enable row level security;
alter table {schema}.outbox enable row level security;
alter table {schema}.one_time_code enable row level security;
create policy tenant on {schema}.conversation
  using ((select current_setting('careline.tenant', true)) in (tenant, '*'));
create policy tenant on {schema}.conversation_party
  using ((select current_setting('careline.tenant', true)) in (tenant, '*'));
create policy tenant on {schema}.channel_address
  using ((select current_setting('careline.tenant', true)) in (tenant, '*'));
create policy tenant on {schema}.outbox
  using ((select current_setting('careline.tenant', true)) in (tenant, '*'));
create policy tenant on {schema}.one_time_code
  using ((select current_setting('careline.tenant', true)) in (tenant, '*'));

grant select, insert, update on {schema}.conversation to {runtime_role};
grant select, insert on {schema}.conversation_party to {runtime_role};
grant select, insert, update, delete on {schema}.channel_address, {schema}.outbox, {schema}.one_time_code
  to {runtime_role};
