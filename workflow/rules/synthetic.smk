# Networks trained on synthetic sloppy data, decay by decay (thesis 2.5.5, 4.7.1).
SYNTHETIC = STUDY.synthetic
DECAYS = {decay_name(decay): decay for decay in SYNTHETIC.decays}
SHOWN = {decay_name(decay): decay for decay in SYNTHETIC.shown}
STUDENT_DECAYS = {decay_name(decay): decay for decay in SYNTHETIC.students.decays}
EXPERIMENTS = {
    experiment.id: experiment
    for name, decays in (("grid", DECAYS), ("corners", SHOWN))
    for experiment in (SYNTHETIC.experiment(name, decay) for decay in decays.values())
}
PART = f"{RESULTS}/synthetic/{{kind}}-{{decay}}.csv"
GRID_KINDS = ["stress", "embedding", "geodesic", "separation", "trainings"]
CORNER_KINDS = [
    "corners_stress",
    "slices",
    "corner_embedding",
    "corner_geodesic",
    "corner_trainings",
]


wildcard_constraints:
    experiment="|".join(map(re.escape, EXPERIMENTS)),
    decay="|".join(map(re.escape, DECAYS | STUDENT_DECAYS)),


def each(step, pieces, upstream=None, **settings):
    """Parameters of a rule for each piece of its work, which counts alone.

    ``upstream`` is a function that gives the key of what comes before a piece; ``settings`` are
    functions of the piece.
    """
    before = {piece: [upstream(piece)] if upstream else [] for piece in pieces}
    found = {
        piece: parameters(
            step, *before[piece], **{name: value(piece) for name, value in settings.items()}
        )
        for piece in pieces
    }
    for piece in pieces:
        remember(f"{step} {piece}", found[piece], *before[piece])
    remember(step, found, *(name for names in before.values() for name in names))
    return found


def of_piece(found, name, wildcard="decay"):
    """A parameter of the piece that a job is of."""
    return lambda wildcards: found[wildcards[wildcard]][name]


def predictions_of(experiment):
    """Manifest of the trainings of an experiment on the data of a decay."""

    def found(wildcards):
        id = f"{experiment}-{wildcards.decay}"
        return settled(f"synthetic_train {id}", f"{RESULTS}/synthetic/{id}.json")

    return found


def parts(step, kinds, decays):
    """Tables of a rule, decay by decay."""
    return [
        settled(f"{step} {decay}", PART.format(kind=kind, decay=decay))
        for kind in kinds
        for decay in decays
    ]


def experiment_mb(experiment):
    """Memory of its job: predictions stack by stack, and all of them."""
    return 1500 + 2 * experiment.prediction_bytes // 10**6


def manifold_mb(decay):
    """Memory of its analysis: predictions of a split, and float64 distances of all models."""
    experiment = EXPERIMENTS[f"grid-{decay}"]
    models = experiment.trainings * experiment.checkpoints
    return 2000 + (experiment.prediction_bytes + 3 * 8 * models**2) // 10**6


SYNTHETIC_TRAIN = each(
    "synthetic_train", EXPERIMENTS, experiment=lambda id: EXPERIMENTS[id].to_json()
)
SYNTHETIC_MANIFOLD = each(
    "synthetic_manifold",
    DECAYS,
    upstream=lambda decay: f"synthetic_train grid-{decay}",
    decay=lambda decay: DECAYS[decay],
)
SYNTHETIC_CORNERS = each(
    "synthetic_corners",
    SHOWN,
    upstream=lambda decay: f"synthetic_train corners-{decay}",
    decay=lambda decay: SHOWN[decay],
    counts=lambda _: list(SYNTHETIC.corners.counts),
    trajectories=lambda _: SYNTHETIC.corners.trajectories,
)
SYNTHETIC_STUDENTS = each(
    "synthetic_students",
    STUDENT_DECAYS,
    decay=lambda decay: STUDENT_DECAYS[decay],
    students=lambda _: canonical_json(
        SYNTHETIC.students.model_dump(mode="json", exclude={"decays"})
    ),
)
SYNTHETIC_TABLES = parameters(
    "synthetic_tables",
    "synthetic_manifold",
    "synthetic_corners",
    "synthetic_students",
    data=canonical_json(SYNTHETIC.data.model_dump(mode="json")),
    decays=list(DECAYS.values()),
    shown=list(SHOWN.values()),
)


# The work folder is no output: Snakemake would delete it, and with it the finished stacks.
rule synthetic_train:
    output:
        store=directory(f"{RESULTS}/synthetic/{{experiment}}.zarr"),
        manifest=f"{RESULTS}/synthetic/{{experiment}}.json",
    log:
        f"{RESULTS}/logs/synthetic_train/{{experiment}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/synthetic_train/{{experiment}}.tsv"
    conda:
        "../../envs/training.yaml"
    resources:
        mem_mb=lambda wildcards: experiment_mb(EXPERIMENTS[wildcards.experiment]),
    params:
        code=of_piece(SYNTHETIC_TRAIN, "code", "experiment"),
        experiment=of_piece(SYNTHETIC_TRAIN, "experiment", "experiment"),
        work=f"{RESULTS}/work/synthetic",
    shell:
        "python -m hyperribbon.steps.synthetic_train --experiment {params.experiment:q}"
        " --work {params.work:q} --code {params.code} --output {output.store:q} --log {log:q}"


rule synthetic_manifold:
    input:
        predictions=predictions_of("grid"),
    output:
        [PART.format(kind=kind, decay="{decay}") for kind in GRID_KINDS],
    log:
        f"{RESULTS}/logs/synthetic_manifold/{{decay}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/synthetic_manifold/{{decay}}.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 8
    resources:
        mem_mb=lambda wildcards: manifold_mb(wildcards.decay),
    params:
        code=of_piece(SYNTHETIC_MANIFOLD, "code"),
        upstream=of_piece(SYNTHETIC_MANIFOLD, "upstream"),
        decay=of_piece(SYNTHETIC_MANIFOLD, "decay"),
    shell:
        "python -m hyperribbon.steps.synthetic_manifold --predictions {input.predictions:q}"
        " --decay {params.decay} --threads {threads} --output {output:q} --log {log:q}"


rule synthetic_corners:
    input:
        predictions=predictions_of("corners"),
    output:
        [PART.format(kind=kind, decay="{decay}") for kind in CORNER_KINDS],
    log:
        f"{RESULTS}/logs/synthetic_corners/{{decay}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/synthetic_corners/{{decay}}.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 8
    resources:
        mem_mb=lambda wildcards: manifold_mb(wildcards.decay),
    params:
        code=of_piece(SYNTHETIC_CORNERS, "code"),
        upstream=of_piece(SYNTHETIC_CORNERS, "upstream"),
        decay=of_piece(SYNTHETIC_CORNERS, "decay"),
        counts=of_piece(SYNTHETIC_CORNERS, "counts"),
        trajectories=of_piece(SYNTHETIC_CORNERS, "trajectories"),
    shell:
        "python -m hyperribbon.steps.synthetic_corners --predictions {input.predictions:q}"
        " --decay {params.decay} --counts {params.counts} --trajectories {params.trajectories}"
        " --threads {threads} --output {output:q} --log {log:q}"


rule synthetic_students:
    output:
        PART.format(kind="students", decay="{decay}"),
    log:
        f"{RESULTS}/logs/synthetic_students/{{decay}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/synthetic_students/{{decay}}.tsv"
    conda:
        "../../envs/training.yaml"
    resources:
        mem_mb=3000,
    params:
        code=of_piece(SYNTHETIC_STUDENTS, "code"),
        decay=of_piece(SYNTHETIC_STUDENTS, "decay"),
        students=of_piece(SYNTHETIC_STUDENTS, "students"),
        work=f"{RESULTS}/work/synthetic",
    shell:
        "python -m hyperribbon.steps.synthetic_students --students {params.students:q}"
        " --decay {params.decay} --work {params.work:q} --code {params.code}"
        " --output {output:q} --log {log:q}"


rule synthetic_tables:
    input:
        parts("synthetic_manifold", GRID_KINDS, DECAYS),
        parts("synthetic_corners", CORNER_KINDS, SHOWN),
        parts("synthetic_students", ["students"], STUDENT_DECAYS),
    output:
        tables(
            "synthetic_tables",
            *(f"synthetic_{kind}" for kind in [*GRID_KINDS, *CORNER_KINDS, "students", "spectra"]),
        ),
    log:
        f"{RESULTS}/logs/synthetic_tables.log",
    benchmark:
        f"{RESULTS}/benchmarks/synthetic_tables.tsv"
    conda:
        "../../envs/analysis.yaml"
    resources:
        mem_mb=2000,
    params:
        **SYNTHETIC_TABLES,
    shell:
        "python -m hyperribbon.steps.synthetic_tables --parts {input:q} --data {params.data:q}"
        " --decays {params.decays} --shown {params.shown} --output {output:q} --log {log:q}"
