"""Figures of merit, one definition each: for training, tuning and evaluation."""
