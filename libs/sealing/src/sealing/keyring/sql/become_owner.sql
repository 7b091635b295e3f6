SET LOCAL ROLE keyring_owner;
