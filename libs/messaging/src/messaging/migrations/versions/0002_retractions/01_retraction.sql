-- A restored log no longer has what a consumer handled: its events after one position, up to another, of an epoch.
-- Settled once the effects are undone: by the service itself at once, or by people where it has no way to.
create table {schema}.retraction (
  consumer       text        not null,
  source         text        not null,
  from_epoch     bigint      not null,
  to_epoch       bigint      not null,
  after_position bigint      not null,
  until_position bigint      not null,
  found_at       timestamptz not null default now(),
  settled_at     timestamptz,
  primary key (consumer, source, from_epoch, to_epoch)
);
grant select, insert, update on {schema}.retraction to {runtime_role};
