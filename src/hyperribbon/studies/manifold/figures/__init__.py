"""Figures of the manifold: functions of a study's tables that return a matplotlib Figure."""
