SELECT subject, patient, linked_at FROM keyring.link
 WHERE tenant = :tenant AND subject = :subject
 ORDER BY patient;
