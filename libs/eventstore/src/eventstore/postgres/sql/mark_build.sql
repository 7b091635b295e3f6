-- Says what a build is that is not live: $1 text projection   $2 int build   $3 text state
update {schema}.projection_build set state = $3 where projection = $1 and build = $2 and state <> 'live'
returning build
