"""Networks and bundles. ``bundle`` needs no training framework; the others import Keras when they build a network."""
