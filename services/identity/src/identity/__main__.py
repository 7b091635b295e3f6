"""Runs identity until it is told to stop."""

from runtime.service import run_service

from identity.compose import IDENTITY

run_service(IDENTITY)
