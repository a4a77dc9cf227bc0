"""Many cameras watched by one process group: settings, decoders, supervision, status."""
