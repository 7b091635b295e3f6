"""Load, decide, append; watch what was appended; react to what others appended."""
