"""Fairness: how often faces of groups of people are found, refused, and rightly called happy."""

from felicity.evaluation.people.serving import Column, Group, Serving, serving

__all__ = ["Column", "Group", "Serving", "serving"]
