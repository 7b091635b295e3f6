SELECT mac, handed_over FROM identity.one_time_code WHERE tenant = :tenant AND code = :code
