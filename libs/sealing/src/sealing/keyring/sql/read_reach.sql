-- Every link of each subject that is linked to one of these patients, and who of both is erased.
SELECT link.subject, link.patient,
       subject_stone.subject IS NOT NULL AS subject_erased,
       patient_stone.subject IS NOT NULL AS patient_erased
  FROM keyring.link
  LEFT JOIN keyring.tombstone AS subject_stone
    ON subject_stone.tenant = link.tenant AND subject_stone.subject = link.subject
  LEFT JOIN keyring.tombstone AS patient_stone
    ON patient_stone.tenant = link.tenant AND patient_stone.subject = link.patient
 WHERE link.tenant = :tenant
   AND link.subject IN (SELECT subject FROM keyring.link
                         WHERE tenant = :tenant AND patient = ANY (:patients));
