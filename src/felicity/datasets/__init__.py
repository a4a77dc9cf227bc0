"""Data sets: reading, auditing, splitting, preparing."""
