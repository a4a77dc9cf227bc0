"""Pictures of results: plot data apart from drawing."""
