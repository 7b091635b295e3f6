-- Those that most keys lead to, and any others up to the same number, so that there is as much to
-- open and to compare for a caller whom nobody fits as for any other.
WITH hit AS (
  SELECT found.patient
  FROM unnest(cast(:keys AS bytea[])) AS sought (key)
  CROSS JOIN LATERAL (
    SELECT patient FROM identity.known_patient_key
    WHERE tenant = :tenant AND known_patient_key.key = sought.key
    LIMIT :most_of_a_key
  ) AS found
  GROUP BY found.patient
  ORDER BY count(*) DESC, found.patient
  LIMIT :candidates
), other AS (
  (
    SELECT patient, 1 AS place FROM identity.known_patient_key
    WHERE tenant = :tenant AND key >= :anywhere
    ORDER BY key
    LIMIT 4 * :candidates
  )
  UNION ALL
  (
    SELECT patient, 2 AS place FROM identity.known_patient_key
    WHERE tenant = :tenant AND key < :anywhere
    ORDER BY key
    LIMIT 4 * :candidates
  )
), candidate AS (
  SELECT patient, min(place) AS place
  FROM (SELECT patient, 0 AS place FROM hit UNION ALL SELECT patient, place FROM other) AS either
  GROUP BY patient
  ORDER BY place, patient
  LIMIT :candidates
)
SELECT patient, said_by, type, data, deceased
FROM candidate
JOIN identity.known_patient USING (patient)
WHERE known_patient.tenant = :tenant
