"""What a framework changes when nothing else does: same weights, order, pixels, constants; a process for each."""
