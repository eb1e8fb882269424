# Embeddings from few samples, or of classes that are mixed at random (2.5.3, 3.5.2).
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
