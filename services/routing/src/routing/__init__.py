"""Queues, agent availability, offers."""
