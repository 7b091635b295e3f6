"""What every service runs on: server, interceptors, settings, health, telemetry, Vault."""
