-- The log: one table, never partitioned, since (stream, revision) and event id are unique over all of it.
-- stream_key stands for (tenant, stream) in the index; made by eventstore.stream_id.
create table {schema}.event (
  position    bigint      not null primary key,
  tenant      text        not null,
  stream      text        not null,
  stream_key  uuid        not null,
  revision    bigint      not null,
  event_id    uuid        not null unique,
  type        text        not null,
  data        bytea       not null,
  metadata    bytea       not null,
  digest      bytea       not null,
  recorded_at timestamptz not null default now(),
  unique (stream_key, revision)
);

-- CACHE 1 carries the floor fence: a session that held numbers back would use them below the floor.
create sequence {schema}.event_position as bigint cache 1 owned by {schema}.event.position;

-- One row: how often this log was restored from a copy. Positions of two epochs are not comparable.
create table {schema}.log_state (
  one   boolean not null primary key default true check (one),
  epoch bigint  not null
);
insert into {schema}.log_state (epoch) values (1);
