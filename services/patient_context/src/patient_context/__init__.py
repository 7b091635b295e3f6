"""Patients from FHIR R4, matching, consent and the screen pop."""
