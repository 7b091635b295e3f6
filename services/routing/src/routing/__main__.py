"""Runs routing until it is told to stop."""

from runtime.service import run_service

from routing.compose import ROUTING

run_service(ROUTING)
