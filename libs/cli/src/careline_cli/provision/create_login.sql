-- Vault fills in name, password and expiration, and cuts at every semicolon, in comments too.
create role "{{name}}" login password '{{password}}' valid until '{{expiration}}' in role @users@;
