"""Reports: pages, charts and sentences about places; plot data apart from drawing."""
