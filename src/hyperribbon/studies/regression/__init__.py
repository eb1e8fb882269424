"""Perceptrons that learn a regression (Cowlagi & Chaudhari); begin with `part`."""
