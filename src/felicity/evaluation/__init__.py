"""Evaluation of models on faces that they have not seen: figures with intervals, pictures, a report."""
