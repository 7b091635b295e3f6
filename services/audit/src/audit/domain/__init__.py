"""What an entry of the audit trail is, and where it stands. Pure."""
