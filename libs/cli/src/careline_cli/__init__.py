"""The careline command."""
