-- How far a version of a projection has come, committed together with its rows.
create table {schema}.projection_checkpoint (
  projection text        not null,
  version    int         not null,
  epoch      bigint      not null,
  position   bigint      not null,
  moved_at   timestamptz not null default now(),
  primary key (projection, version)
);
