-- Lets the server end the session, and so the lock, soon after its client's machine is gone. No parameters.
select set_config('tcp_keepalives_idle', '5', false),
       set_config('tcp_keepalives_interval', '5', false),
       set_config('tcp_keepalives_count', '3', false),
       set_config('idle_session_timeout', '0', false)
