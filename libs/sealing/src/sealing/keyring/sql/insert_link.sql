INSERT INTO keyring.link (tenant, subject, patient)
VALUES (:tenant, :subject, :patient)
ON CONFLICT DO NOTHING;
