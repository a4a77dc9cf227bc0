"""Expressions of faces: the classifier, and the way from frames to windows."""
