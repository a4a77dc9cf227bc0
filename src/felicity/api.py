"""The Python API: what the commands do, as functions with typed results."""

from __future__ import annotations
