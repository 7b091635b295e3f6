-- See one tenant's rows, alone: no key and no link of that tenant is being made meanwhile.
SELECT set_config('careline.tenant', :tenant, true),
       set_config('idle_in_transaction_session_timeout', '10s', true),
       pg_advisory_xact_lock(hashtextextended('careline.keyring.' || CAST(:tenant AS text), 0));
