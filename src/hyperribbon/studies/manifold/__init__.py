"""The manifold of all models, and the analyses of chapter 2.

Begin with `part` for the steps and their tables, and with `figure_list` for the figures.
"""
