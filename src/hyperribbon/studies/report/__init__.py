"""Figures, verdicts and the report of all parts; begin with `part`."""
