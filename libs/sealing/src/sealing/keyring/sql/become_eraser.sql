SET LOCAL ROLE keyring_eraser;
