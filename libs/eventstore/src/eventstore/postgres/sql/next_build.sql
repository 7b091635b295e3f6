-- The number of a projection's next build; of two that begin one at once, one fails by the key. $1 text projection
select coalesce(max(build), 0) + 1 from {schema}.projection_build where projection = $1
