"""Training: a configuration and a data set in, a run folder out. ``fit`` is the loop; ``run`` reads what it left."""
