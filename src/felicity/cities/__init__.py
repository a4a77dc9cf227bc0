"""Cities: one index from many locations, visits and flows, patterns of hours, files of locations."""
