"""The framework comparison: same weights, order, pixels and constants on each; one process per framework."""
