-- Undoes enter_session before the connection goes back to its pool: the next user must not see all tenants.
reset careline.tenant;
reset default_transaction_isolation;
reset synchronous_commit;
reset lock_timeout;
reset plan_cache_mode;
reset enable_seqscan;
reset enable_bitmapscan;
reset jit
