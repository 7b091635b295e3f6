-- The builds of projections. Each has its tables in a schema of its own, "place"; its position is committed together with
-- its rows. One build of a projection is live: what this schema's views show and the service's own runner feeds.
--   building: not compared yet; proof: its second replay; ready: compared; kept: was live; scratch: up to "until" only.
create table {schema}.projection_build (
  projection text        not null,
  build      int         not null,
  version    int         not null,
  place      text        not null unique,
  state      text        not null check (state in ('building', 'proof', 'ready', 'live', 'kept', 'scratch')),
  until      bigint      check ((until is not null) = (state = 'scratch')),
  epoch      bigint      not null,
  position   bigint      not null default 0,
  made_at    timestamptz not null default now(),
  moved_at   timestamptz not null default now(),
  primary key (projection, build)
);
create unique index on {schema}.projection_build (projection) where state = 'live';
