"""Measures Careline beside its ceilings and its peers, side by side in one run."""
