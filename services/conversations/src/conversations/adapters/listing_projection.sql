-- What conversations are listed from. {schema} the schema of one build, {runtime_role} what the
-- service's sessions are.

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

alter table {schema}.conversation enable row level security;
alter table {schema}.conversation_party enable row level security;
create policy tenant on {schema}.conversation
  using ((select current_setting('careline.tenant', true)) in (tenant, '*'));
create policy tenant on {schema}.conversation_party
  using ((select current_setting('careline.tenant', true)) in (tenant, '*'));

grant select, insert, update on {schema}.conversation to {runtime_role};
grant select, insert on {schema}.conversation_party to {runtime_role};
