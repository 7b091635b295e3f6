"""Runs audit until it is told to stop."""

from runtime.service import run_service

from audit.compose import AUDIT

run_service(AUDIT)
