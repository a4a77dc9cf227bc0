"""Networks and bundles."""
