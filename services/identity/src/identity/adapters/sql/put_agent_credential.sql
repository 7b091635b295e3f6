INSERT INTO identity.agent_credential (tenant, agent, factor, set_by, revision, sealed)
VALUES (:tenant, :agent, :factor, :set_by, :revision, :sealed)
ON CONFLICT (tenant, agent, factor) DO UPDATE
SET set_by = excluded.set_by, revision = excluded.revision, sealed = excluded.sealed
WHERE agent_credential.revision < excluded.revision
