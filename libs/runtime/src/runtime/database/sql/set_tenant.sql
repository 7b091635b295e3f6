SELECT set_config('careline.tenant', :tenant, true)
