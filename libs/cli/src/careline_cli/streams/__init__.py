"""Looks after the streams of a platform on this machine."""
