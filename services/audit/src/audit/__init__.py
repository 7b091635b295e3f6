"""Every action and every disclosure."""
