-- Makes a build the live one: $1 text projection   $2 int build
select {schema}.switch_projection($1, $2)
