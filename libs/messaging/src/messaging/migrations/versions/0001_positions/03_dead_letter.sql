-- Events that a consumer gave up on, sealed as they came. `reason` and `error_type` are codes and names, never values.
create table {schema}.dead_letter (
  id                bigint generated always as identity primary key,
  consumer          text        not null,
  source            text        not null,
  epoch             bigint      not null,
  position          bigint      not null,
  previous_position bigint      not null,
  tenant            text        not null,
  stream            text        not null,
  revision          bigint      not null,
  event_id          uuid        not null,
  type              text        not null,
  data              bytea       not null,
  metadata          bytea       not null,
  recorded_at       timestamptz not null,
  traceparent       text        not null,
  tracestate        text        not null,
  reason            text        not null,
  error_type        text        not null,
  attempts          int         not null,
  parked_at         timestamptz not null default now(),
  discarded_at      timestamptz,
  discard_reason    text,
  unique (consumer, source, epoch, position)
);

-- As in the log: a session sees the tenant that it names, and all when it says '*'.
alter table {schema}.dead_letter enable row level security;
create policy tenant on {schema}.dead_letter
  using (
    (select current_setting('careline.tenant', true)) = '*'
    or tenant = (select current_setting('careline.tenant', true))
  );
