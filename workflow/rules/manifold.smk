# A recording is not the result of a rule; its key is its content.
if EXTERNAL:
    KEYS.remember("external", {path: file_sha256(Path(path)) for path in EXTERNAL})
PREDICTED = [step for step in ["train", "external"] if step in KEYS]
PREDICTIONS = [*settled("train", TRAINED), *settled("external", EXTERNAL)]

SMOOTHING = STUDY.training.label_smoothing if STUDY.training else 0.0  # smooths the truth

DISTANCE = KEYS.parameters(
    "distance",
    *PREDICTED,
    geodesic_points=STUDY.analysis.geodesic_points,
    smoothing=SMOOTHING,
    classes=STUDY.analysis.projected_classes or "",
)
EMBED = KEYS.parameters("embed", "distance", components=STUDY.analysis.components)
PROGRESS = KEYS.parameters("progress", *PREDICTED, smoothing=SMOOTHING)
TRAJECTORIES = KEYS.parameters(
    "trajectories",
    "progress",
    points=STUDY.analysis.progress_points,
    smoothing=SMOOTHING,
    # Models of other tasks, mapped to all classes, end early.
    reached="--no-reached" if STUDY.has_grid else "--reached",
)
TABULATE = KEYS.parameters("tables", "distance", "embed", "progress", "trajectories")
SUMMARISE = KEYS.parameters("summarise", "tables")


DISTANCES = both("distance", "distance")
EMBEDDINGS = both("embed", "embedding")
PROGRESSES = both("progress", "progress")
TRAJECTORY_SETS = both("trajectories", "trajectories")


STORES += [
    path
    for kind in ["distance", "embedding", "progress", "trajectories"]
    for split in SPLITS
    for path in both_files(f"{RESULTS}/{kind}/{split}")
]


rule distance:
    input:
        predictions=PREDICTIONS,
    output:
        **stores("distance"),
    log:
        f"{RESULTS}/logs/distance/{{split}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/distance/{{split}}.tsv"
    priority: FIRST
    conda:
        "../../envs/analysis.yaml"
    threads: threads_of_analysis(8)
    resources:
        mem_mb=4000,
    params:
        **DISTANCE,
        work=f"{RESULTS}/work/distance",
    shell:
        "python -m hyperribbon.studies.manifold.distance --predictions {input.predictions:q}"
        " --split {wildcards.split} --geodesic-points {params.geodesic_points}"
        " --smoothing {params.smoothing} --classes {params.classes}"
        " --threads {threads} --memory {resources.mem_mb}"
        " --work {params.work:q}"
        " --code {params.code} --output {output.store:q} --log {log:q}"


rule embed:
    input:
        distance=settled("distance", f"{RESULTS}/distance/{{split}}.json"),
    output:
        **stores("embedding"),
    log:
        f"{RESULTS}/logs/embed/{{split}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/embed/{{split}}.tsv"
    priority: FIRST
    conda:
        "../../envs/analysis.yaml"
    resources:
        mem_mb=2000,
    params:
        **EMBED,
    shell:
        "python -m hyperribbon.studies.manifold.embed --distance {input.distance:q}"
        " --components {params.components} --code {params.code}"
        " --output {output.store:q} --log {log:q}"


rule progress:
    input:
        predictions=PREDICTIONS,
    output:
        **stores("progress"),
    log:
        f"{RESULTS}/logs/progress/{{split}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/progress/{{split}}.tsv"
    priority: FIRST
    conda:
        "../../envs/analysis.yaml"
    threads: threads_of_analysis(8)
    resources:
        mem_mb=2000,
    params:
        **PROGRESS,
    shell:
        "python -m hyperribbon.studies.manifold.progress --predictions {input.predictions:q}"
        " --split {wildcards.split} --smoothing {params.smoothing} --threads {threads} --code {params.code}"
        " --output {output.store:q} --log {log:q}"


rule trajectories:
    input:
        predictions=PREDICTIONS,
        progress=settled("progress", f"{RESULTS}/progress/{{split}}.json"),
    output:
        **stores("trajectories"),
    log:
        f"{RESULTS}/logs/trajectories/{{split}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/trajectories/{{split}}.tsv"
    priority: FIRST
    conda:
        "../../envs/analysis.yaml"
    threads: threads_of_analysis(8)
    resources:
        mem_mb=2000,
    params:
        **TRAJECTORIES,
    shell:
        "python -m hyperribbon.studies.manifold.trajectories --predictions {input.predictions:q}"
        " --progress {input.progress:q} --split {wildcards.split} --points {params.points}"
        " --smoothing {params.smoothing} {params.reached} --threads {threads} --code {params.code}"
        " --output {output.store:q} --log {log:q}"


rule tables:
    input:
        predictions=PREDICTIONS,
        distance=DISTANCES,
        embedding=EMBEDDINGS,
        progress=PROGRESSES,
        trajectories=TRAJECTORY_SETS,
    output:
        tables("tables"),
    log:
        f"{RESULTS}/logs/tables.log",
    benchmark:
        f"{RESULTS}/benchmarks/tables.tsv"
    priority: FIRST
    conda:
        "../../envs/analysis.yaml"
    resources:
        mem_mb=2000,
    params:
        **TABULATE,
    shell:
        "python -m hyperribbon.studies.manifold.tables --predictions {input.predictions:q}"
        " --distance {input.distance:q} --embedding {input.embedding:q} --progress {input.progress:q}"
        " --trajectories {input.trajectories:q} --output {output:q} --log {log:q}"


rule summarise:
    input:
        tables=settled(
            "tables",
            expand(
                f"{RESULTS}/tables/{{table}}.csv",
                table=["summary", "diverged", "trajectories"],
            ),
        ),
    output:
        page("summarise"),
    log:
        f"{RESULTS}/logs/summarise.log",
    benchmark:
        f"{RESULTS}/benchmarks/summarise.tsv"
    conda:
        "../../envs/analysis.yaml"
    resources:
        mem_mb=1000,
    params:
        **SUMMARISE,
    shell:
        "python -m hyperribbon.studies.manifold.summarise"
        " --tables {input.tables:q} --output {output:q} --log {log:q}"


if STUDY.has_grid:

    include: "manifold_questions.smk"


include: "manifold_explorer.smk"
