"""Watching: from sources into a store."""
