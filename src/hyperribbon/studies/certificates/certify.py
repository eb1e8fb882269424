"""Certificates of the trainings of one configuration, by one method."""
