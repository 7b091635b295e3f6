"""Runs conversations until it is told to stop."""

from runtime.service import run_service

from conversations.compose import CONVERSATIONS

run_service(CONVERSATIONS)
