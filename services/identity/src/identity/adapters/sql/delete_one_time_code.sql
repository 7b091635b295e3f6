DELETE FROM identity.one_time_code WHERE tenant = :tenant AND code = :code
