-- Lets the present transaction see all tenants. No parameters.
select set_config('careline.tenant', '*', true)
