"""Parts for tests of services: real ones of this library that need no server."""
