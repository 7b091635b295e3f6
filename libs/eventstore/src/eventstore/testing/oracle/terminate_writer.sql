-- Ends one of the writers' connections, any one. No parameters.
select pg_terminate_backend(pid)
  from (select pid from pg_stat_activity where application_name = 'oracle writer' order by random() limit 1) p
