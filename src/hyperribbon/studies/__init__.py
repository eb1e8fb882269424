"""What the workflow runs: the parts of a study, each in a folder of its own.

`parts` is the registry of all parts, `study` the configuration of a study, `keys` decides what runs
again, and `step` runs what a rule does. The library below knows nothing of what is here.
"""
