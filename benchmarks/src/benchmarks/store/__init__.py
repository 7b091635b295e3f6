"""`careline bench store`: one file a figure, or a family of figures."""
