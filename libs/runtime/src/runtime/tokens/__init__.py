"""Tokens and assertions: EdDSA JWTs, signed in Vault Transit, verified against its public keys."""
