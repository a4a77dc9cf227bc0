"""One module per format; each registers a reader and is found by its presence."""
