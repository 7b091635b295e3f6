-- States of long streams, so that a load reads but the tail. A cache: whatever is here may be deleted at any time.
-- States hold no PII and no PHI. No restore brings these rows back; those of another epoch are not looked at.
create table {schema}.snapshot (
  stream_key   uuid        not null,
  tenant       text        not null,
  stream       text        not null,
  decider      text        not null,
  code_version text        not null,
  epoch        bigint      not null,
  revision     bigint      not null,
  position     bigint      not null,
  state        bytea       not null,
  digest       bytea       not null,
  taken_at     timestamptz not null default now(),
  primary key (stream_key, decider, code_version)
);
alter table {schema}.snapshot enable row level security;
create policy tenant on {schema}.snapshot
  using (
    (select current_setting('careline.tenant', true)) = '*'
    or tenant = (select current_setting('careline.tenant', true))
  );
grant select, insert, update, delete on {schema}.snapshot to {runtime_role};
