# The claims of chapter 2, of all its tables.
CLAIMED = [step for step in TABLES if step not in ("synthetic_tables", "regression")]
CLAIMS = parameters(
    "claims",
    *CLAIMED,
    study=STUDY.study,
    data=STUDY.data.name if STUDY.data else "unknown",
)


rule claims:
    input:
        tables=[settled(step, TABLES[step]) for step in CLAIMED],
    output:
        f"{RESULTS}/claims.csv",
        report(
            f"{RESULTS}/claims.html",
            caption="../report/claims.rst",
            category="Verdict",
            labels={"page": "claims of chapter 2"},
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
