"""Reads FHIR R4 strictly: what is taken in was checked, what is refused is named without values."""
