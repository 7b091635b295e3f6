-- How far a projection has come: $1 text projection, $2 int version.
select epoch, position from {schema}.projection_checkpoint where projection = $1 and version = $2
