"""Rehearses disasters on a platform of its own: load, a kill, the runbook's recovery, a verdict."""
