"""Curvature of the loss along trainings (chapter 4); begin with `part`."""
