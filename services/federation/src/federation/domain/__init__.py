"""What a contract with a partner is. Pure."""
