"""Watching: sources into a store."""
