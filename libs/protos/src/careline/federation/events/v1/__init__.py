"""Generated: see libs/protos/generate.py."""
