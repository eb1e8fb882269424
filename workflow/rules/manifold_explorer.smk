# As soon as there is an embedding; all other figures wait for all tables.
FIRST_PICTURE = KEYS.parameters(
    "first_picture", "tables", modules=[figure_module("manifold_train")]
)


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
        page("first_picture"),
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
        "python -m hyperribbon.studies.manifold.first_picture"
        " --tables {input.tables:q} --output {output:q} --log {log:q}"


# Tables that the explorer shows, by the rules that write them.
EXPLORED = ["models", "geodesic", "explained_stress", "metric_embedding"]
EXPLORED = {
    step: [path for path in paths if Path(path).stem in EXPLORED] for step, paths in TABLES.items()
}
EXPLORED = {step: paths for step, paths in EXPLORED.items() if paths}
EXPLORE = KEYS.parameters("explore", *EXPLORED)


rule explore:
    input:
        tables=[settled(step, EXPLORED[step]) for step in EXPLORED],
    output:
        page("explore"),
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
        "python -m hyperribbon.studies.manifold.explore"
        " --tables {input.tables:q} --output {output:q} --log {log:q}"
