-- The live build of a projection, which stands still until the transaction ends: $1 text projection
select * from {schema}.projection_build where projection = $1 and state = 'live' for update
