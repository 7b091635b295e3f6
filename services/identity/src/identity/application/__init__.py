"""What identity does when asked: load, decide, append, answer."""
