-- Takes a build's row away unless it is live: $1 text projection   $2 int build
delete from {schema}.projection_build where projection = $1 and build = $2 and state <> 'live' returning place
