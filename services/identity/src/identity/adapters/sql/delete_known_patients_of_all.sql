DELETE FROM identity.known_patient
