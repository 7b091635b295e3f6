SELECT agent, position, created_by, created, create_time, roles, suspended, revision
FROM identity.agent
WHERE tenant = :tenant AND position > :after
ORDER BY position
LIMIT :limit
