"""Curvature of the loss, and what its spectrum says of generalisation (chapter 4)."""
