"""The style of charts and pages."""
