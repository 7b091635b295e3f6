"""What shows that a log keeps its promises: for its own tests and those of other logs."""
