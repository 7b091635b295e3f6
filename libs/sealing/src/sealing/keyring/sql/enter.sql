-- Make this transaction see one tenant's rows, and end it should its process hang.
SELECT set_config('careline.tenant', :tenant, true),
       set_config('idle_in_transaction_session_timeout', '10s', true);
