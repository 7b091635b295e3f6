-- One row: up to which event of the schema's log the stream has acknowledged. Written by whoever holds the relay's lock.
create table {schema}.relay_checkpoint (
  one      boolean     not null primary key default true check (one),
  epoch    bigint      not null,
  position bigint      not null,
  moved_at timestamptz not null default now()
);
