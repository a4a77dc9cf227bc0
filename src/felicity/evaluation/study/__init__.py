"""The study run again, its tables and figures beside the published ones."""
