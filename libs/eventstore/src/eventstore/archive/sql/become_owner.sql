-- Acts as the log's owner until the transaction ends, on all tenants' rows. $1 text role
select set_config('role', $1, true), set_config('careline.tenant', '*', true)
