"""One file per face detector; ``faces.registry`` finds them."""
