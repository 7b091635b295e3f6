SELECT wrapped FROM keyring.tenant_key WHERE tenant = :tenant AND version = :version;
