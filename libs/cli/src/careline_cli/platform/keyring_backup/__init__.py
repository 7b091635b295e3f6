"""The keyring's own backups: its write-ahead log as it is written, and base backups."""
