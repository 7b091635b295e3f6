-- What is known of patients. "data" are the stored bytes of the event "event_id": what is PII or PHI in them is sealed
-- under the patient's key. {schema} the schema of one build, {runtime_role} what the service's
-- sessions are.

-- Who a patient is: the last PatientRegistered or PatientDemographicsChanged.
create table {schema}.patient (
  tenant text not null,
  patient text not null,
  event_id uuid not null,
  type text not null,
  data bytea not null,
  primary key (tenant, patient)
);

-- The clinical record in parts; a record counts once all its parts are there, and replaces the one before.
create table {schema}.record_part (
  tenant text not null,
  patient text not null,
  content_digest bytea not null,
  part int not null,
  parts int not null,
  position bigint not null,
  event_id uuid not null,
  data bytea not null,
  primary key (tenant, patient, content_digest, part)
);

-- Decisions that were not taken back.
create table {schema}.consent (
  tenant text not null,
  patient text not null,
  consent text not null,
  event_id uuid not null,
  data bytea not null,
  primary key (tenant, patient, consent)
);

-- By what patients are found: keyed hashes of phones, record numbers, words of names and days of birth.
create table {schema}.patient_token (
  tenant text not null,
  token bytea not null,
  patient text not null,
  primary key (tenant, token, patient)
);
create index on {schema}.patient_token (tenant, patient);

-- Erasures that were requested and are not done.
create table {schema}.pending_erasure (
  tenant text not null,
  patient text not null,
  event_id uuid not null,
  request_time timestamptz not null,
  primary key (tenant, patient)
);

alter table {schema}.patient enable row level security;
alter table {schema}.record_part enable row level security;
alter table {schema}.consent enable row level security;
alter table {schema}.patient_token enable row level security;
alter table {schema}.pending_erasure enable row level security;
create policy tenant on {schema}.patient
  using ((select current_setting('careline.tenant', true)) in (tenant, '*'));
create policy tenant on {schema}.record_part
  using ((select current_setting('careline.tenant', true)) in (tenant, '*'));
create policy tenant on {schema}.consent
  using ((select current_setting('careline.tenant', true)) in (tenant, '*'));
create policy tenant on {schema}.patient_token
  using ((select current_setting('careline.tenant', true)) in (tenant, '*'));
create policy tenant on {schema}.pending_erasure
  using ((select current_setting('careline.tenant', true)) in (tenant, '*'));

grant select, insert, update, delete on
  {schema}.patient, {schema}.record_part, {schema}.consent, {schema}.patient_token, {schema}.pending_erasure
to {runtime_role};
