"""The probe service as a process of its own."""

from integration.runtime.probe.compose import SERVICE
from runtime.service import run_service

if __name__ == "__main__":
    run_service(SERVICE)
