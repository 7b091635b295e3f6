"""Looks after the read models of a platform."""
