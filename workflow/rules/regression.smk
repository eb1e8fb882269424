# Perceptrons that learn a regression (Cowlagi & Chaudhari, Fig. 2 b to d). The data come inside a
# package, and all trainings take less than a minute: one job.
REGRESSION = KEYS.parameters(
    "regression", regression=canonical_json(STUDY.regression.model_dump(mode="json"))
)


rule regression:
    output:
        tables("regression"),
    log:
        f"{RESULTS}/logs/regression.log",
    benchmark:
        f"{RESULTS}/benchmarks/regression.tsv"
    conda:
        "../../envs/training.yaml"
    resources:
        mem_mb=2000,
    params:
        **REGRESSION,
    shell:
        "python -m hyperribbon.studies.regression.regression --regression {params.regression:q}"
        " --output {output:q} --log {log:q}"
