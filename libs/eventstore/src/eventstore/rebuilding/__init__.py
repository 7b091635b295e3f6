"""Builds a read model anew beside the live one, compares the two, and switches between them."""
