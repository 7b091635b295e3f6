"""A service of the runtime's own tests."""
