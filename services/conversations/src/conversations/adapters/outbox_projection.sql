-- What frontends are to send out. {schema} the schema of one build, {runtime_role} what the
-- service's sessions are.
-- Columns named sealed_… hold what only sealing opens, under the conversation's key.

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

alter table {schema}.channel_address enable row level security;
alter table {schema}.outbox enable row level security;
create policy tenant on {schema}.channel_address
  using ((select current_setting('careline.tenant', true)) in (tenant, '*'));
create policy tenant on {schema}.outbox
  using ((select current_setting('careline.tenant', true)) in (tenant, '*'));

grant select, insert, update, delete on {schema}.channel_address, {schema}.outbox to {runtime_role};
