"""Figures over time: series, seasonality, noise, trends, limits and the effect of a measure."""
