# Trainings by way of random-label corners, compared with direct ones (2.20, 2.21).
CORNERS = KEYS.parameters("corners", *PREDICTED, "distance", "progress", smoothing=SMOOTHING)


rule corners:
    input:
        predictions=PREDICTIONS,
        distance=DISTANCES,
        progress=PROGRESSES,
    output:
        tables("corners"),
    log:
        f"{RESULTS}/logs/corners.log",
    benchmark:
        f"{RESULTS}/benchmarks/corners.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: threads_of_analysis(8)
    resources:
        mem_mb=2000,
    params:
        **CORNERS,
    shell:
        "python -m hyperribbon.studies.corners.corners --predictions {input.predictions:q}"
        " --distance {input.distance:q} --progress {input.progress:q}"
        " --smoothing {params.smoothing} --threads {threads}"
        " --output {output:q} --log {log:q}"
