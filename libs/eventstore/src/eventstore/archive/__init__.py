"""A log's archive in object storage: sealed segments, hash-chained and signed, and back from it."""
