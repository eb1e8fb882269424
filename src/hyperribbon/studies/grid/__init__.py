"""Data and trainings of a study's grid; begin with `part`."""
