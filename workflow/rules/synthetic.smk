# Networks trained on synthetic sloppy data, separately for each decay (thesis 2.5.5, 4.7.1).
include: "synthetic_common.smk"


STORES += [path for id in EXPERIMENTS for path in both_files(f"{RESULTS}/synthetic/{id}")]
SYNTHETIC_TRAIN = KEYS.each(
    "synthetic_train", EXPERIMENTS, experiment=lambda id: EXPERIMENTS[id].to_json()
)
SYNTHETIC_MANIFOLD = KEYS.each(
    "synthetic_manifold",
    DECAYS,
    upstream=lambda decay: [f"synthetic_train grid-{decay}"],
    decay=lambda decay: DECAYS[decay],
)
SYNTHETIC_CORNERS = KEYS.each(
    "synthetic_corners",
    SHOWN,
    upstream=lambda decay: [f"synthetic_train corners-{decay}"],
    decay=lambda decay: SHOWN[decay],
    counts=lambda _: list(SYNTHETIC.corners.counts),
    trajectories=lambda _: SYNTHETIC.corners.trajectories,
)
SYNTHETIC_STUDENTS = KEYS.each(
    "synthetic_students",
    STUDENT_DECAYS,
    decay=lambda decay: STUDENT_DECAYS[decay],
    students=lambda _: canonical_json(
        SYNTHETIC.students.model_dump(mode="json", exclude={"decays"})
    ),
)
if BESIDE:
    SYNTHETIC_IMAGES = KEYS.parameters(
        "synthetic_image_spectrum",
        modules=[f"hyperribbon.data.{SYNTHETIC.beside}"],
        name=SYNTHETIC.beside,
    )

    # Runs where Snakemake runs: it downloads images, and nodes of a cluster may have no internet.
    localrules:
        synthetic_image_spectrum,

    rule synthetic_image_spectrum:
        output:
            BESIDE,
        log:
            f"{RESULTS}/logs/synthetic_image_spectrum.log",
        benchmark:
            f"{RESULTS}/benchmarks/synthetic_image_spectrum.tsv"
        conda:
            "../../envs/training.yaml"
        resources:
            mem_mb=4000,
        params:
            **SYNTHETIC_IMAGES,
        shell:
            "python -m hyperribbon.studies.synthetic.image_spectrum"
            " --name {params.name:q} --output {output:q} --log {log:q}"


SYNTHETIC_TABLES = KEYS.parameters(
    "synthetic_tables",
    *(["synthetic_image_spectrum"] if BESIDE else []),
    "synthetic_manifold",
    "synthetic_corners",
    "synthetic_students",
    data=canonical_json(SYNTHETIC.data.model_dump(mode="json")),
    decays=list(DECAYS.values()),
    shown=list(SHOWN.values()),
)


# The work folder is not an output, because Snakemake would delete it and the finished stacks.
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
        "python -m hyperribbon.studies.synthetic.train --experiment {params.experiment:q}"
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
        code=of_piece(SYNTHETIC_MANIFOLD, "code", "decay"),
        upstream=of_piece(SYNTHETIC_MANIFOLD, "upstream", "decay"),
        decay=of_piece(SYNTHETIC_MANIFOLD, "decay", "decay"),
    shell:
        "python -m hyperribbon.studies.synthetic.manifold --predictions {input.predictions:q}"
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
        code=of_piece(SYNTHETIC_CORNERS, "code", "decay"),
        upstream=of_piece(SYNTHETIC_CORNERS, "upstream", "decay"),
        decay=of_piece(SYNTHETIC_CORNERS, "decay", "decay"),
        counts=of_piece(SYNTHETIC_CORNERS, "counts", "decay"),
        trajectories=of_piece(SYNTHETIC_CORNERS, "trajectories", "decay"),
    shell:
        "python -m hyperribbon.studies.synthetic.corners --predictions {input.predictions:q}"
        " --decay {params.decay} --counts {params.counts} --trajectories {params.trajectories}"
        " --threads {threads} --output {output:q} --log {log:q}"


rule synthetic_students:
    output:
        [PART.format(kind=kind, decay="{decay}") for kind in STUDENT_KINDS],
    log:
        f"{RESULTS}/logs/synthetic_students/{{decay}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/synthetic_students/{{decay}}.tsv"
    conda:
        "../../envs/training.yaml"
    resources:
        mem_mb=3000,
    params:
        code=of_piece(SYNTHETIC_STUDENTS, "code", "decay"),
        decay=of_piece(SYNTHETIC_STUDENTS, "decay", "decay"),
        students=of_piece(SYNTHETIC_STUDENTS, "students", "decay"),
        work=f"{RESULTS}/work/synthetic",
    shell:
        "python -m hyperribbon.studies.synthetic.students --students {params.students:q}"
        " --decay {params.decay} --work {params.work:q} --code {params.code}"
        " --output {output:q} --log {log:q}"


rule synthetic_tables:
    input:
        settled("synthetic_image_spectrum", BESIDE),
        parts("synthetic_manifold", GRID_KINDS, DECAYS),
        parts("synthetic_corners", CORNER_KINDS, SHOWN),
        parts("synthetic_students", STUDENT_KINDS, STUDENT_DECAYS),
    output:
        tables("synthetic_tables"),
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
        "python -m hyperribbon.studies.synthetic.tables --parts {input:q} --data {params.data:q}"
        " --decays {params.decays} --shown {params.shown} --output {output:q} --log {log:q}"
