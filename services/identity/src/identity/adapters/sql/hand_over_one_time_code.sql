UPDATE identity.one_time_code SET handed_over = true
WHERE tenant = :tenant AND code = :code AND mac = :mac
