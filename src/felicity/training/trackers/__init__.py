"""Watchers that write a training's figures for external viewers."""
