"""Training: from a configuration and a data set to a run folder. ``fit`` is the loop; ``run`` reads its results."""
