rule distance:
    input:
        predictions=PREDICTIONS,
    output:
        directory(f"{RESULTS}/distance/{{split}}.zarr"),
    log:
        f"{RESULTS}/logs/distance/{{split}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/distance/{{split}}.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 8
    resources:
        mem_mb=4000,
    params:
        geodesic_points=STUDY.analysis.geodesic_points,
    shell:
        "python -m hyperribbon.steps.distance --predictions {input.predictions:q}"
        " --split {wildcards.split} --geodesic-points {params.geodesic_points}"
        " --threads {threads} --output {output:q} --log {log:q}"


rule embed:
    input:
        distance=f"{RESULTS}/distance/{{split}}.zarr",
    output:
        directory(f"{RESULTS}/embedding/{{split}}.zarr"),
    log:
        f"{RESULTS}/logs/embed/{{split}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/embed/{{split}}.tsv"
    conda:
        "../../envs/analysis.yaml"
    resources:
        mem_mb=2000,
    params:
        components=STUDY.analysis.components,
    shell:
        "python -m hyperribbon.steps.embed --distance {input.distance:q}"
        " --components {params.components} --output {output:q} --log {log:q}"


rule progress:
    input:
        predictions=PREDICTIONS,
    output:
        directory(f"{RESULTS}/progress/{{split}}.zarr"),
    log:
        f"{RESULTS}/logs/progress/{{split}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/progress/{{split}}.tsv"
    conda:
        "../../envs/analysis.yaml"
    resources:
        mem_mb=2000,
    shell:
        "python -m hyperribbon.steps.progress --predictions {input.predictions:q}"
        " --split {wildcards.split} --output {output:q} --log {log:q}"


rule trajectories:
    input:
        predictions=PREDICTIONS,
        progress=f"{RESULTS}/progress/{{split}}.zarr",
    output:
        directory(f"{RESULTS}/trajectories/{{split}}.zarr"),
    log:
        f"{RESULTS}/logs/trajectories/{{split}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/trajectories/{{split}}.tsv"
    conda:
        "../../envs/analysis.yaml"
    resources:
        mem_mb=2000,
    params:
        points=STUDY.analysis.progress_points,
    shell:
        "python -m hyperribbon.steps.trajectories --predictions {input.predictions:q}"
        " --progress {input.progress:q} --split {wildcards.split} --points {params.points}"
        " --output {output:q} --log {log:q}"


TABLES = [
    f"{RESULTS}/tables/{name}.csv"
    for name in [
        "configuration_distances",
        "diverged",
        "explained_stress",
        "geodesic",
        "models",
        "summary",
        "trajectories",
        "tubes",
    ]
]


rule tables:
    input:
        predictions=PREDICTIONS,
        embedding=expand(f"{RESULTS}/embedding/{{split}}.zarr", split=SPLITS),
        progress=expand(f"{RESULTS}/progress/{{split}}.zarr", split=SPLITS),
        trajectories=expand(f"{RESULTS}/trajectories/{{split}}.zarr", split=SPLITS),
    output:
        [
            report(
                path,
                caption="../report/tables.rst",
                category="Tables",
                labels={"table": Path(path).stem.replace("_", " ")},
            )
            for path in TABLES
        ],
    log:
        f"{RESULTS}/logs/tables.log",
    benchmark:
        f"{RESULTS}/benchmarks/tables.tsv"
    conda:
        "../../envs/analysis.yaml"
    resources:
        mem_mb=2000,
    params:
        folder=lambda wildcards, output: os.path.dirname(output[0]),
    shell:
        "python -m hyperribbon.steps.tables --predictions {input.predictions:q}"
        " --embedding {input.embedding:q} --progress {input.progress:q}"
        " --trajectories {input.trajectories:q} --output {params.folder:q} --log {log:q}"


rule summarise:
    input:
        tables=expand(
            f"{RESULTS}/tables/{{table}}.csv", table=["summary", "diverged", "trajectories"]
        ),
    output:
        report(
            f"{RESULTS}/summary.html",
            caption="../report/summarise.rst",
            category="Summary",
            labels={"page": "what was found"},
        ),
    log:
        f"{RESULTS}/logs/summarise.log",
    benchmark:
        f"{RESULTS}/benchmarks/summarise.tsv"
    conda:
        "../../envs/analysis.yaml"
    resources:
        mem_mb=1000,
    shell:
        "python -m hyperribbon.steps.summarise"
        " --tables {input.tables:q} --output {output:q} --log {log:q}"
