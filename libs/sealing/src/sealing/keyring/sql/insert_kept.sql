INSERT INTO keyring.kept (tenant, request_id, subject, patient)
SELECT CAST(:tenant AS text), CAST(:request_id AS text), kept.subject, kept.patient
  FROM unnest(CAST(:subjects AS text[]), CAST(:patients AS text[])) AS kept (subject, patient);
