"""The commands of `careline`, one a file."""
