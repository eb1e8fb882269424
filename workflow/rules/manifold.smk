# What chapter 2 asks of the manifold, each question a rule that writes tables of both splits.
NULL = parameters(
    "null",
    *PREDICTED,
    "distance",
    models=STUDY.analysis.sampled_models,
    draws=STUDY.analysis.draws,
)


rule null:
    input:
        predictions=PREDICTIONS,
        distance=settled("distance", expand(f"{RESULTS}/distance/{{split}}.json", split=SPLITS)),
    output:
        tables("null", "null"),
    log:
        f"{RESULTS}/logs/null.log",
    benchmark:
        f"{RESULTS}/benchmarks/null.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 8
    resources:
        mem_mb=4000,
    params:
        **NULL,
    shell:
        "python -m hyperribbon.steps.null --predictions {input.predictions:q}"
        " --distance {input.distance:q} --models {params.models} --draws {params.draws}"
        " --threads {threads} --output {output:q} --log {log:q}"


SPACE = parameters("trajectory_space", *PREDICTED, "trajectories", permutations=99)


rule trajectory_space:
    input:
        predictions=PREDICTIONS,
        trajectories=settled(
            "trajectories", expand(f"{RESULTS}/trajectories/{{split}}.json", split=SPLITS)
        ),
    output:
        tables("trajectory_space", "importance", "trajectory_embedding", "trajectory_stress"),
    log:
        f"{RESULTS}/logs/trajectory_space.log",
    benchmark:
        f"{RESULTS}/benchmarks/trajectory_space.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 8
    resources:
        mem_mb=4000,
    params:
        **SPACE,
        folder=lambda wildcards, output: os.path.dirname(output[0]),
    shell:
        "python -m hyperribbon.steps.trajectory_space --predictions {input.predictions:q}"
        " --trajectories {input.trajectories:q} --permutations {params.permutations}"
        " --threads {threads} --output {params.folder:q} --log {log:q}"
