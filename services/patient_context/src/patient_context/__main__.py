"""Runs patient_context until it is told to stop."""

from runtime.service import run_service

from patient_context.compose import PATIENT_CONTEXT

run_service(PATIENT_CONTEXT)
