# The claims that the study can judge, of all its tables.
CLAIMS = parameters(
    "claims",
    *TABLES,
    study=STUDY.study,
    data=STUDY.data.name if STUDY.data else "unknown",
)


rule claims:
    input:
        tables=[settled(step, TABLES[step]) for step in TABLES],
    output:
        f"{RESULTS}/claims.csv",
        report(
            f"{RESULTS}/claims.html",
            caption="../report/claims.rst",
            category=chapter(OVERVIEW),
            labels={"page": "claims"},
        ),
    log:
        f"{RESULTS}/logs/claims.log",
    benchmark:
        f"{RESULTS}/benchmarks/claims.tsv"
    conda:
        "../../envs/analysis.yaml"
    resources:
        mem_mb=2000,
    params:
        **CLAIMS,
    shell:
        "python -m hyperribbon.steps.claims --tables {input.tables:q} --study {params.study:q}"
        " --data {params.data:q} --output {output:q} --log {log:q}"
