"""Linear regression in closed form, and trainings to compare with it (chapter 5).

Begin with `part`.
"""
