INSERT INTO identity.one_time_code (tenant, code, mac, claim_time, expire_time)
VALUES (:tenant, :code, :mac, :now, :expire_time)
ON CONFLICT (tenant, code) DO UPDATE
SET mac = excluded.mac, claim_time = excluded.claim_time
WHERE NOT one_time_code.handed_over AND one_time_code.claim_time <= :stale
RETURNING true AS claimed
