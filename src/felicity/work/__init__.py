"""Distributed work: in this process, over processes, over a cluster."""

from felicity.work.here import Here, Threads
from felicity.work.outcome import Attempted, Lost, Need, Outcome
from felicity.work.processes import Processes
from felicity.work.work import Work

__all__ = ["Attempted", "Here", "Lost", "Need", "Outcome", "Processes", "Threads", "Work"]
