-- Undoes hardly_wait: the time that enter_session sets. No parameters.
set lock_timeout = '50ms'
