DELETE FROM identity.one_time_code WHERE (tenant, code) IN (
  SELECT tenant, code FROM identity.one_time_code
  WHERE tenant = :tenant AND expire_time < :now
  ORDER BY expire_time LIMIT 20 FOR UPDATE SKIP LOCKED
)
