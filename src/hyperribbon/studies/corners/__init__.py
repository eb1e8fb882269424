"""Trainings by way of random labels (2.5.4); begin with `part`."""
