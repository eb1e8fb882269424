# Analyses of the manifold in chapter 2: one rule each, which writes tables of both splits.
NULL_MODEL = KEYS.parameters(
    "null_model",
    *PREDICTED,
    "distance",
    models=STUDY.analysis.sampled_models,
    draws=STUDY.analysis.draws,
)


rule null_model:
    input:
        predictions=PREDICTIONS,
        distance=DISTANCES,
    output:
        tables("null_model"),
    log:
        f"{RESULTS}/logs/null_model.log",
    benchmark:
        f"{RESULTS}/benchmarks/null_model.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: threads_of_analysis(8)
    resources:
        mem_mb=4000,
    params:
        **NULL_MODEL,
    shell:
        "python -m hyperribbon.studies.manifold.null_model --predictions {input.predictions:q}"
        " --distance {input.distance:q} --models {params.models} --draws {params.draws}"
        " --threads {threads} --output {output:q} --log {log:q}"


OWN_METRICS = pieces(STUDY.plugins, "metric")
METRICS = KEYS.parameters(
    "metrics",
    *PREDICTED,
    "distance",
    models=STUDY.analysis.sampled_models,
    smoothing=SMOOTHING,
    modules=[piece.code for piece in OWN_METRICS],
    registered=[piece.name for piece in OWN_METRICS],
)


rule metrics:
    input:
        predictions=PREDICTIONS,
        distance=DISTANCES,
    output:
        tables("metrics"),
    log:
        f"{RESULTS}/logs/metrics.log",
    benchmark:
        f"{RESULTS}/benchmarks/metrics.tsv"
    priority: SECOND
    conda:
        "../../envs/analysis.yaml"
    threads: threads_of_analysis(2)  # two in any case: last digits depend on their number
    resources:
        mem_mb=4000,
    params:
        **METRICS,
    shell:
        "python -m hyperribbon.studies.manifold.metrics --predictions {input.predictions:q}"
        " --distance {input.distance:q} --models {params.models}"
        " --smoothing {params.smoothing} --registered {params.registered} --threads 2 --output {output:q} --log {log:q}"


SUBSETS = KEYS.parameters(
    "subsets",
    *PREDICTED,
    "distance",
    models=STUDY.analysis.sampled_models,
    draws=STUDY.analysis.draws,
)


rule subsets:
    input:
        predictions=PREDICTIONS,
        distance=DISTANCES,
    output:
        tables("subsets"),
    log:
        f"{RESULTS}/logs/subsets.log",
    benchmark:
        f"{RESULTS}/benchmarks/subsets.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: threads_of_analysis(8)
    resources:
        mem_mb=4000,
    params:
        **SUBSETS,
    shell:
        "python -m hyperribbon.studies.manifold.subsets --predictions {input.predictions:q}"
        " --distance {input.distance:q} --models {params.models} --draws {params.draws} --threads {threads}"
        " --output {output:q} --log {log:q}"


JOINT = KEYS.parameters(
    "joint",
    *PREDICTED,
    "distance",
    "embed",
)


rule joint:
    input:
        predictions=PREDICTIONS,
        distance=DISTANCES,
        embedding=EMBEDDINGS,
    output:
        tables("joint"),
    log:
        f"{RESULTS}/logs/joint.log",
    benchmark:
        f"{RESULTS}/benchmarks/joint.tsv"
    conda:
        "../../envs/analysis.yaml"
    resources:
        mem_mb=4000,
    params:
        **JOINT,
    shell:
        "python -m hyperribbon.studies.manifold.joint --predictions {input.predictions:q}"
        " --distance {input.distance:q} --embedding {input.embedding:q}"
        " --output {output:q} --log {log:q}"


FOUR_POINTS = KEYS.parameters(
    "four_points",
    *PREDICTED,
    "distance",
    "embed",
    "progress",
    smoothing=SMOOTHING,
)


rule four_points:
    input:
        predictions=PREDICTIONS,
        distance=DISTANCES,
        embedding=EMBEDDINGS,
        progress=PROGRESSES,
    output:
        tables("four_points"),
    log:
        f"{RESULTS}/logs/four_points.log",
    benchmark:
        f"{RESULTS}/benchmarks/four_points.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: threads_of_analysis(8)
    resources:
        mem_mb=4000,
    params:
        **FOUR_POINTS,
    shell:
        "python -m hyperribbon.studies.manifold.four_points --predictions {input.predictions:q}"
        " --distance {input.distance:q} --embedding {input.embedding:q} --progress {input.progress:q} --smoothing {params.smoothing} --threads {threads}"
        " --output {output:q} --log {log:q}"


ENSEMBLES = KEYS.parameters("ensembles", "embed", "progress", smoothing=SMOOTHING)


rule ensembles:
    input:
        predictions=PREDICTIONS,
        progress=PROGRESSES,
        distance=DISTANCES,
        embedding=EMBEDDINGS,
    output:
        tables("ensembles"),
    log:
        f"{RESULTS}/logs/ensembles.log",
    benchmark:
        f"{RESULTS}/benchmarks/ensembles.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: threads_of_analysis(8)
    resources:
        mem_mb=4000,
    params:
        **ENSEMBLES,
    shell:
        "python -m hyperribbon.studies.manifold.ensembles --predictions {input.predictions:q}"
        " --progress {input.progress:q} --distance {input.distance:q}"
        " --embedding {input.embedding:q} --smoothing {params.smoothing} --threads {threads}"
        " --output {output:q} --log {log:q}"


SPACE = KEYS.parameters("trajectory_space", *PREDICTED, "trajectories", permutations=99)


rule trajectory_space:
    input:
        predictions=PREDICTIONS,
        trajectories=TRAJECTORY_SETS,
    output:
        tables("trajectory_space"),
    log:
        f"{RESULTS}/logs/trajectory_space.log",
    benchmark:
        f"{RESULTS}/benchmarks/trajectory_space.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: threads_of_analysis(8)
    resources:
        mem_mb=4000,
    params:
        **SPACE,
    shell:
        "python -m hyperribbon.studies.manifold.trajectory_space --predictions {input.predictions:q}"
        " --trajectories {input.trajectories:q} --permutations {params.permutations}"
        " --threads {threads} --output {output:q} --log {log:q}"
