"""The server: figures for programs over HTTP, and pages for people."""
