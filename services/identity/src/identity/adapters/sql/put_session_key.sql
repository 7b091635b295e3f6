INSERT INTO identity.session_key (tenant, session, agent, sealed, expire_time)
VALUES (:tenant, :session, :agent, :sealed, :expire_time)
ON CONFLICT DO NOTHING
