"""Contacts and desks: load, decide, append; and who is asked when."""
