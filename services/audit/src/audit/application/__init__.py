"""How events of other services become entries, and how entries are found again."""
