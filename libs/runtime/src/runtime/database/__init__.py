"""Engines whose logins come from Vault and go before they end."""
