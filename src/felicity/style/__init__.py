"""One look for charts and pages."""
