-- Lets the rest of the transaction see one tenant's rows only, or those of all ('*'). Parameter: tenant.
select set_config('careline.tenant', $1, true)
