"""Networks and bundles. ``bundle`` needs no training framework; the rest imports Keras when a network is built."""
