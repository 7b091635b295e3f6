SELECT pg_advisory_xact_lock(hashtextextended('careline.keyring.migrations', 0));
