DELETE FROM keyring.link WHERE tenant = :tenant AND subject = :subject AND patient = :patient;
