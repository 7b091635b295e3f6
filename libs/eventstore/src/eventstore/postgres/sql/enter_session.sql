-- Puts a session into the state that appending and reading the log rely on; leave_session undoes it. No parameters.
select set_config('careline.tenant', '*', false),                        -- the log is of all tenants
       set_config('default_transaction_isolation', 'read committed', false), -- the append statement's races need it
       set_config('synchronous_commit', 'on', false),                    -- an answer means: on disk
       set_config('lock_timeout', '50ms', false),                        -- a held stream may not hold its neighbours
       set_config('plan_cache_mode', 'force_generic_plan', false),       -- one plan, by the keys, whatever the statistics
       set_config('enable_seqscan', 'off', false),
       set_config('enable_bitmapscan', 'off', false),
       set_config('jit', 'off', false)
