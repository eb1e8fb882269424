"""What the workflow runs: the parts of a study, each in a folder of its own.

Begin with `part`, which explains what a part declares. `parts` is the registry of all parts,
`study` the configuration of a study, `keys` decides what runs again, and `step` runs the work of a
rule. The library below never imports from here.
"""
