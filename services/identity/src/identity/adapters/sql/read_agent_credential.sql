SELECT set_by, sealed FROM identity.agent_credential
WHERE tenant = :tenant AND agent = :agent AND factor = :factor
