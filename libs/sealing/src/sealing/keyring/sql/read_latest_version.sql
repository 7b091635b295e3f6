SELECT max(version) FROM keyring.tenant_key WHERE tenant = :tenant;
