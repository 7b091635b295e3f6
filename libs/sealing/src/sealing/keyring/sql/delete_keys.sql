DELETE FROM keyring.data_key WHERE tenant = :tenant AND subject = ANY (:subjects);
