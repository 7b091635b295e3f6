"""Traces, metrics and logs that carry no person's data: what is not listed does not leave."""
