-- See one tenant's rows, and keep that tenant's erasures waiting until this transaction ends.
SELECT set_config('careline.tenant', :tenant, true),
       set_config('idle_in_transaction_session_timeout', '10s', true),
       pg_advisory_xact_lock_shared(hashtextextended('careline.keyring.' || CAST(:tenant AS text), 0));
