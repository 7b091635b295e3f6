-- The live build of a projection: $1 text projection
select * from {schema}.projection_build where projection = $1 and state = 'live'
