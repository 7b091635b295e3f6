-- {schema} the schema of one build, {runtime_role} what the service's sessions are.

-- The tenant's agents: the sealed event that made each, and what changed since.
create table {schema}.agent (
  tenant text not null,
  agent text not null,
  position bigint not null,
  created_by uuid not null,
  created bytea not null,
  create_time timestamptz not null,
  roles text[] not null,
  suspended boolean not null default false,
  revision bigint not null,
  primary key (tenant, agent)
);
create unique index on {schema}.agent (tenant, position);

alter table {schema}.agent enable row level security;
create policy tenant on {schema}.agent
  using (current_setting('careline.tenant', true) in (tenant, '*'));

grant select, insert, update on {schema}.agent to {runtime_role};
