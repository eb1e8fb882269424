"""A family of trainings as one lazy object, what sets its models apart, and its explorer.

Begin with `hyperribbon.Study`: of recordings, of arrays or, by `hyperribbon.open_study`, of a
finished study. `hyperribbon.explain_distance`, `explain_coordinate` and `explain_progress` say
which samples count.
"""
