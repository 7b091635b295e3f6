"""One platform on one machine: its servers, its services, and what holds them up."""
