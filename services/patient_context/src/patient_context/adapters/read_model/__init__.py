"""Patients as rows: sealed as their events are, found by blind indexes, closed to other tenants."""
