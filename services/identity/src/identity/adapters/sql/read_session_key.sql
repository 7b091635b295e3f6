SELECT agent, sealed FROM identity.session_key WHERE tenant = :tenant AND session = :session
