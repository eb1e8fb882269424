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
EXPLORED_DATA = [f"{RESULTS}/data.json"] if TRAINED else []  # of its images, if it has any
EXPLORE = KEYS.parameters(
    "explore",
    *EXPLORED,
    *PREDICTED,
    "progress",
    *["prepare_data"][: len(EXPLORED_DATA)],
    classes=STUDY.data.class_names if STUDY.data else (),
)


rule explore:
    input:
        tables=[settled(step, EXPLORED[step]) for step in EXPLORED],
        predictions=PREDICTIONS,
        progress=PROGRESSES,
        data=settled("prepare_data", EXPLORED_DATA) if TRAINED else [],
    output:
        page("explore"),
    log:
        f"{RESULTS}/logs/explore.log",
    benchmark:
        f"{RESULTS}/benchmarks/explore.tsv"
    priority: SECOND
    conda:
        "../../envs/analysis.yaml"
    threads: threads_of_analysis(8)
    resources:
        mem_mb=2000,
    params:
        **EXPLORE,
    shell:
        "python -m hyperribbon.studies.manifold.explore"
        " --tables {input.tables:q} --predictions {input.predictions:q}"
        " --progress {input.progress:q} --data {input.data:q} --classes {params.classes:q}"
        " --threads {threads} --output {output:q} --log {log:q}"
