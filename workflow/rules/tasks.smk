# The space of tasks: what networks that learn different tasks predict on all classes (chapter 3).
include: "tasks_common.smk"


TASK_MEANS_STEP = KEYS.parameters(
    "task_means",
    *PREDICTED,
    "progress",
    groups=TASK_PLAN.groups_json(),
    points=STUDY.analysis.progress_points,
)
TASK_EMBEDDING = KEYS.parameters(
    "task_embedding",
    "task_means",
    "distance",
    plan=TASK_PLAN.to_json(),
    draws=STUDY.analysis.draws,
    classes=STUDY.analysis.projected_classes or "",
)
TASK_TABLES = KEYS.parameters(
    "task_tables",
    "task_means",
    "distance",
    "trajectories",
    plan=TASK_PLAN.to_json(),
    smoothing=SMOOTHING,
)
STORES += [
    path for split in TASK_PLAN.splits for path in both_files(f"{RESULTS}/task_means/{split}")
]


rule task_means:
    input:
        predictions=PREDICTIONS,
        progress=settled("progress", f"{RESULTS}/progress/{{split}}.json"),
    output:
        **stores("task_means"),
    log:
        f"{RESULTS}/logs/task_means/{{split}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/task_means/{{split}}.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: threads_of_analysis(8)
    resources:
        mem_mb=4000,
    params:
        **TASK_MEANS_STEP,
    shell:
        "python -m hyperribbon.studies.tasks.means --predictions {input.predictions:q}"
        " --progress {input.progress:q} --split {wildcards.split} --groups {params.groups:q}"
        " --points {params.points} --threads {threads}"
        " --code {params.code} --output {output.store:q} --log {log:q}"


rule task_embedding:
    input:
        predictions=PREDICTIONS,
        distance=DISTANCES,
        progress=PROGRESSES,
        means=settled("task_means", TASK_MEANS),
    output:
        tables("task_embedding"),
    log:
        f"{RESULTS}/logs/task_embedding.log",
    benchmark:
        f"{RESULTS}/benchmarks/task_embedding.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: threads_of_analysis(8)
    resources:
        mem_mb=4000,
    params:
        **TASK_EMBEDDING,
    shell:
        "python -m hyperribbon.studies.tasks.embedding --predictions {input.predictions:q}"
        " --distance {input.distance:q} --progress {input.progress:q} --means {input.means:q}"
        " --plan {params.plan:q} --draws {params.draws} --classes {params.classes}"
        " --threads {threads} --output {output:q} --log {log:q}"


rule task_tables:
    input:
        predictions=PREDICTIONS,
        progress=PROGRESSES,
        distance=DISTANCES,
        trajectories=TRAJECTORY_SETS,
        means=settled("task_means", TASK_MEANS),
    output:
        tables("task_tables"),
    log:
        f"{RESULTS}/logs/task_tables.log",
    benchmark:
        f"{RESULTS}/benchmarks/task_tables.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: threads_of_analysis(8)
    resources:
        mem_mb=4000,
    params:
        **TASK_TABLES,
    shell:
        "python -m hyperribbon.studies.tasks.tables --predictions {input.predictions:q}"
        " --progress {input.progress:q} --distance {input.distance:q}"
        " --trajectories {input.trajectories:q}"
        " --means {input.means:q} --plan {params.plan:q} --smoothing {params.smoothing}"
        " --threads {threads} --output {output:q} --log {log:q}"


if TASKS.mapped:
    TASK_MAPPINGS = KEYS.parameters(
        "task_mappings",
        *PREDICTED,
        "prepare_data",
        groups=TASK_PLAN.groups_json(),
        seeds=TASKS.mapped,
    )

    # Imprinting beside other ways to predict the classes from a network's features.
    rule task_mappings:
        input:
            predictions=settled("train", TRAINED),
            data=settled("prepare_data", f"{RESULTS}/data.json"),
        output:
            tables("task_mappings"),
        log:
            f"{RESULTS}/logs/task_mappings.log",
        benchmark:
            f"{RESULTS}/benchmarks/task_mappings.tsv"
        conda:
            "../../envs/training.yaml"
        threads: threads_of_analysis(8)
        resources:
            mem_mb=lambda wildcards, attempt: attempt * training_mb(),
        params:
            **TASK_MAPPINGS,
        shell:
            "python -m hyperribbon.studies.tasks.mappings --predictions {input.predictions:q}"
            " --data {input.data:q} --groups {params.groups:q} --seeds {params.seeds}"
            " --threads {threads} --output {output:q} --log {log:q}"
