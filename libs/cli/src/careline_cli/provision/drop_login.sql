-- Vault fills in the name. The login owns nothing, and its sessions end with it.
select pg_terminate_backend(pid) from pg_stat_activity where usename = '{{name}}';
drop role if exists "{{name}}";
