"""Runs federation until it is told to stop."""

from runtime.service import run_service

from federation.compose import FEDERATION

run_service(FEDERATION)
