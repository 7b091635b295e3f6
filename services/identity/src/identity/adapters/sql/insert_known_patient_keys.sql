INSERT INTO identity.known_patient_key (tenant, key, patient)
SELECT :tenant, key, :patient FROM unnest(cast(:keys AS bytea[])) AS key
ON CONFLICT DO NOTHING
