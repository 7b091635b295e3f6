"""Agents, service accounts, tokens and caller verification."""
