-- How far a consumer has handled another service's log, committed together with what the handling wrote.
-- Epoch 0 is before the first event.
create table {schema}.consumer_position (
  consumer text        not null,
  source   text        not null,
  epoch    bigint      not null,
  position bigint      not null,
  moved_at timestamptz not null default now(),
  primary key (consumer, source)
);
