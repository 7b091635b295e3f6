"""The disasters, one a file: each has a name, how it strikes, and the runbook's way out of it."""
