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


ENSEMBLES = parameters("ensembles", "embed", "progress", smoothing=SMOOTHING)


rule ensembles:
    input:
        predictions=PREDICTIONS,
        progress=settled("progress", expand(f"{RESULTS}/progress/{{split}}.json", split=SPLITS)),
        distance=settled("distance", expand(f"{RESULTS}/distance/{{split}}.json", split=SPLITS)),
        embedding=settled("embed", expand(f"{RESULTS}/embedding/{{split}}.json", split=SPLITS)),
    output:
        tables("ensembles", "ensembles", "ensemble_embedding"),
    log:
        f"{RESULTS}/logs/ensembles.log",
    benchmark:
        f"{RESULTS}/benchmarks/ensembles.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 8
    resources:
        mem_mb=4000,
    params:
        **ENSEMBLES,
    shell:
        "python -m hyperribbon.steps.ensembles --predictions {input.predictions:q}"
        " --progress {input.progress:q} --distance {input.distance:q}"
        " --embedding {input.embedding:q} --smoothing {params.smoothing} --threads {threads}"
        " --output {output:q} --log {log:q}"
