"""Append-only event store on PostgreSQL: append, read, subscribe, project."""
