UPDATE identity.one_time_code SET claim_time = '-infinity'
WHERE tenant = :tenant AND code = :code AND mac = :mac AND NOT handed_over
