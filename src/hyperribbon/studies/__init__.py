"""What the workflow runs: the parts of a study, each in a folder of its own.

`parts` is the registry of all parts, `part` what each of them declares, and `study` the
configuration of a study. `keys` and `code_version` decide what runs again, `step` runs the step of
a rule, and `schema` writes the files that are generated. The library imports nothing from here.
"""
