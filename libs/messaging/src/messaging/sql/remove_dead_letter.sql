-- Forgets a dead letter whose event was handled after all. Parameter: id.
delete from {schema}.dead_letter where id = $1
