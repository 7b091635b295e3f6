DELETE FROM identity.known_patient_key WHERE tenant = :tenant AND patient = :patient
