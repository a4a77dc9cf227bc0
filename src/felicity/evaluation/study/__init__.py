"""The replication of the study: its tables and figures beside the published ones."""
