"""Where windows are kept: SQLite or PostgreSQL, by URL."""
