"""One module per format; each registers a reader, and Felicity finds it in this folder."""
