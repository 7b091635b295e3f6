-- Whose a partner key is, and the clear parts that wait to go into the partners' streams.
-- {schema} the service's schema, {runtime_role} what its sessions are.

-- A key is part of a stream's name and subjects, so it belongs to one partner of all tenants, for good.
create table {schema}.partner_key (
  partner_key text primary key,
  tenant text not null,
  partner text not null
);

-- `sequence` is what the partner's stream gives the message; `position` the last event that was for the partner.
create table {schema}.forwarding (
  tenant text not null,
  partner text not null,
  sequence bigint not null,
  delivered bigint not null,
  epoch bigint not null,
  position bigint not null,
  previous_position bigint not null,
  primary key (tenant, partner)
);

-- Holds PUBLIC and INTERNAL fields only; a row goes when the stream has it.
create table {schema}.outgoing (
  tenant text not null,
  partner text not null,
  sequence bigint not null,
  subject text not null,
  headers jsonb not null,
  data bytea not null,
  primary key (tenant, partner, sequence)
);

alter table {schema}.partner_key enable row level security;
alter table {schema}.forwarding enable row level security;
alter table {schema}.outgoing enable row level security;
create policy tenant on {schema}.partner_key
  using (current_setting('careline.tenant', true) = tenant);
create policy tenant on {schema}.forwarding
  using (current_setting('careline.tenant', true) in (tenant, '*'));
create policy tenant on {schema}.outgoing
  using (current_setting('careline.tenant', true) in (tenant, '*'));

grant select, insert on {schema}.partner_key to {runtime_role};
grant select, insert, update on {schema}.forwarding to {runtime_role};
grant select, insert, delete on {schema}.outgoing to {runtime_role};
