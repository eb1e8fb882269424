# As soon as there is an embedding; all other figures wait for all tables.
FIRST_PICTURE = parameters("first_picture", "tables")


rule first_picture:
    input:
        tables=settled(
            "tables",
            expand(
                f"{RESULTS}/tables/{{table}}.csv",
                table=["models", "geodesic", "explained_stress"],
            ),
        ),
    output:
        f"{RESULTS}/first_picture.png",
    log:
        f"{RESULTS}/logs/first_picture.log",
    benchmark:
        f"{RESULTS}/benchmarks/first_picture.tsv"
    priority: FIRST
    conda:
        "../../envs/figures.yaml"
    resources:
        mem_mb=1000,
    params:
        **FIRST_PICTURE,
    shell:
        "python -m hyperribbon.steps.first_picture"
        " --tables {input.tables:q} --output {output:q} --log {log:q}"


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
        report(
            f"{RESULTS}/explorer.html",
            caption="../report/explore.rst",
            category="Interactive",
            labels={"figure": "explorer"},
        ),
    log:
        f"{RESULTS}/logs/explore.log",
    benchmark:
        f"{RESULTS}/benchmarks/explore.tsv"
    priority: SECOND
    conda:
        "../../envs/figures.yaml"
    resources:
        mem_mb=1000,
    params:
        **EXPLORE,
    shell:
        "python -m hyperribbon.steps.explore"
        " --tables {input.tables:q} --output {output:q} --log {log:q}"
