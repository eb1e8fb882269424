include: "workflow/Snakefile"


# An include alone leaves no default target, and a bare `snakemake` would silently run nothing.
workflow.default_target = workflow.modifier.modify_rulename("all")  # a module may rename
