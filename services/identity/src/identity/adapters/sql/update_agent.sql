UPDATE identity.agent
SET
  roles = coalesce(cast(:roles AS text[]), roles),
  suspended = suspended OR :suspended,
  revision = :revision
WHERE tenant = :tenant AND agent = :agent
