-- The first process to come keeps its key, the others read it.
INSERT INTO keyring.tenant_key (tenant, version, wrapped)
VALUES (:tenant, :version, :wrapped)
ON CONFLICT DO NOTHING;
