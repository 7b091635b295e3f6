"""Seals PII and PHI fields under per-subject keys; keyring, blind indexes, erasure."""
