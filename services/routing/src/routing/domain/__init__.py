"""What may happen to contacts and to the agents who are asked to take them. Pure."""
