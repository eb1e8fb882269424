# Judges the claims that the study can judge, from all its tables.
JUDGED = [part for part in parts_of(STUDY) if part.claims and part.claims_when(STUDY)]
CLAIM_MODULES = [part.module(name) for part in JUDGED for name in part.claims]
OWN_CLAIMS = pieces(STUDY.plugins, "claim")
CLAIMS = KEYS.parameters(
    "claims",
    *TABLES,
    study=STUDY.study,
    data=STUDY.data.name if STUDY.data else "unknown",
    modules=[*CLAIM_MODULES, *(piece.code for piece in OWN_CLAIMS)],
    parts=[part.name for part in JUDGED],
    registered=[piece.name for piece in OWN_CLAIMS],
)


rule claims:
    input:
        tables=[settled(step, TABLES[step]) for step in TABLES],
    output:
        f"{RESULTS}/claims.csv",
        page("claims"),
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
        "python -m hyperribbon.studies.report.claims --tables {input.tables:q} --study {params.study:q}"
        " --data {params.data:q} --parts {params.parts} --registered {params.registered} --output {output:q} --log {log:q}"
