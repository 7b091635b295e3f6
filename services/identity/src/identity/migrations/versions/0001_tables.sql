-- What identity keeps beside its log: credentials, which are no events, and what it finds by.
-- {schema} the service's schema, {runtime_role} what its sessions are.

-- An agent's password hash (PASSWORD) or authenticator seed (TOTP), sealed under the agent.
-- "set_by" is the event that it belongs to, "revision" that event's: a later one replaces it.
create table {schema}.agent_credential (
  tenant text not null,
  agent text not null,
  factor text not null,
  set_by uuid not null,
  revision bigint not null,
  sealed bytea not null,
  primary key (tenant, agent, factor)
);

-- The key that a session's tokens are made with, sealed under the agent.
create table {schema}.session_key (
  tenant text not null,
  session text not null,
  agent text not null,
  sealed bytea not null,
  expire_time timestamptz not null,
  primary key (tenant, session)
);
create index on {schema}.session_key (expire_time);

-- A service account's secret: its SHA-256, and until it was used once itself, sealed under the
-- account, so that the request that made it can be repeated.
create table {schema}.service_account_secret (
  tenant text not null,
  service_account text not null,
  secret_digest bytea not null,
  sealed bytea,
  primary key (tenant, service_account)
);

-- A one-time code as its HMAC. "claim_time" is when the code was last drawn; once it was handed
-- over, it is not drawn again.
create table {schema}.one_time_code (
  tenant text not null,
  code text not null,
  mac bytea not null,
  claim_time timestamptz not null,
  handed_over boolean not null default false,
  expire_time timestamptz not null,
  primary key (tenant, code)
);
create index on {schema}.one_time_code (expire_time);

-- Patients as patient_context last said: its sealed event as it is.
create table {schema}.known_patient (
  tenant text not null,
  patient text not null,
  revision bigint not null,
  said_by uuid not null,
  type text not null,
  data bytea not null,
  deceased boolean not null,
  primary key (tenant, patient)
);

-- Keyed hashes by which records are found that a caller may mean.
create table {schema}.known_patient_key (
  tenant text not null,
  key bytea not null,
  patient text not null,
  primary key (tenant, key, patient)
);
create index on {schema}.known_patient_key (tenant, patient);

alter table {schema}.agent_credential enable row level security;
alter table {schema}.session_key enable row level security;
alter table {schema}.service_account_secret enable row level security;
alter table {schema}.one_time_code enable row level security;
alter table {schema}.known_patient enable row level security;
alter table {schema}.known_patient_key enable row level security;
create policy tenant on {schema}.agent_credential
  using (current_setting('careline.tenant', true) = tenant);
create policy tenant on {schema}.session_key
  using (current_setting('careline.tenant', true) = tenant);
create policy tenant on {schema}.service_account_secret
  using (current_setting('careline.tenant', true) = tenant);
create policy tenant on {schema}.one_time_code
  using (current_setting('careline.tenant', true) = tenant);
create policy tenant on {schema}.known_patient
  using (current_setting('careline.tenant', true) in (tenant, '*'));
create policy tenant on {schema}.known_patient_key
  using (current_setting('careline.tenant', true) in (tenant, '*'));

grant select, insert, update on {schema}.agent_credential to {runtime_role};
grant select, insert, update, delete on {schema}.session_key to {runtime_role};
grant select, insert, update on {schema}.service_account_secret to {runtime_role};
grant select, insert, update, delete on {schema}.one_time_code to {runtime_role};
grant select, insert, update, delete on {schema}.known_patient to {runtime_role};
grant select, insert, delete on {schema}.known_patient_key to {runtime_role};
