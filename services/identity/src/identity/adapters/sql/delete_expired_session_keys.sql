DELETE FROM identity.session_key WHERE (tenant, session) IN (
  SELECT tenant, session FROM identity.session_key
  WHERE tenant = :tenant AND expire_time < :now
  ORDER BY expire_time LIMIT 20 FOR UPDATE SKIP LOCKED
)
