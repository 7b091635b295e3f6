SELECT EXISTS (SELECT FROM identity.agent_credential WHERE tenant = :tenant)
