"""What holds for agents, sessions, service accounts and callers, without I/O, clock or chance."""
