INSERT INTO identity.known_patient (tenant, patient, revision, said_by, type, data, deceased)
VALUES (:tenant, :patient, :revision, :said_by, :type, :data, :deceased)
ON CONFLICT (tenant, patient) DO UPDATE
SET
  revision = excluded.revision,
  said_by = excluded.said_by,
  type = excluded.type,
  data = excluded.data,
  deceased = excluded.deceased
