SELECT patient, said_by, type, data, deceased FROM identity.known_patient
WHERE tenant = :tenant AND patient = :patient
