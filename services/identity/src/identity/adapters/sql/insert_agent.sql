INSERT INTO identity.agent
  (tenant, agent, position, created_by, created, create_time, roles, revision)
VALUES
  (:tenant, :agent, :position, :created_by, :created, :create_time, :roles, :revision)
