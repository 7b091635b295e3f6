DELETE FROM identity.known_patient WHERE tenant = :tenant AND patient = :patient
