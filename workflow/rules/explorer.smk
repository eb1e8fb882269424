# Tables that the explorer shows, by the rules that write them.
EXPLORED = ["models", "geodesic", "explained_stress", "metric_embedding"]
EXPLORED = {
    step: [path for path in paths if Path(path).stem in EXPLORED] for step, paths in TABLES.items()
}
EXPLORED = {step: paths for step, paths in EXPLORED.items() if paths}
EXPLORE = parameters("explore", *EXPLORED)


rule explore:
    input:
        tables=[settled(step, EXPLORED[step]) for step in EXPLORED],
    output:
        f"{RESULTS}/explorer.html",  # the report's first page has a link to it
    log:
        f"{RESULTS}/logs/explore.log",
    benchmark:
        f"{RESULTS}/benchmarks/explore.tsv"
    conda:
        "../../envs/figures.yaml"
    resources:
        mem_mb=1000,
    params:
        **EXPLORE,
    shell:
        "python -m hyperribbon.steps.explore"
        " --tables {input.tables:q} --output {output:q} --log {log:q}"
