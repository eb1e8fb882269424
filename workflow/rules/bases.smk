# A few models, and a few samples, that stand for the manifold (thesis 6).
BASES = STUDY.bases
BASES_JSON = canonical_json(BASES.model_dump(mode="json"))
BASES_DATA = [f"{RESULTS}/data.json"] if TRAINED else []  # of its images, if it has any
LINEARISED = [c.id for c in BASES.linearised(STUDY)]
MODEL_BASES = KEYS.parameters("model_bases", *PREDICTED, bases=BASES_JSON, smoothing=SMOOTHING)
SAMPLE_BASES = KEYS.parameters(
    "sample_bases",
    *PREDICTED,
    *["prepare_data"][: len(BASES_DATA)],
    bases=BASES_JSON,
    smoothing=SMOOTHING,
)
TANGENT_BASES = KEYS.parameters("tangent_bases", *PREDICTED, bases=BASES_JSON, smoothing=SMOOTHING)


rule model_bases:
    input:
        predictions=PREDICTIONS,
    output:
        tables("model_bases"),
    log:
        f"{RESULTS}/logs/model_bases.log",
    benchmark:
        f"{RESULTS}/benchmarks/model_bases.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: threads_of_analysis(2)
    resources:
        mem_mb=4000,
    params:
        **MODEL_BASES,
    shell:
        "python -m hyperribbon.studies.bases.model_bases --predictions {input.predictions:q}"
        " --bases {params.bases:q} --smoothing {params.smoothing} --threads {threads}"
        " --output {output:q} --log {log:q}"


rule sample_bases:
    input:
        predictions=PREDICTIONS,
        data=settled("prepare_data", BASES_DATA) if TRAINED else [],
    output:
        tables("sample_bases"),
    log:
        f"{RESULTS}/logs/sample_bases.log",
    benchmark:
        f"{RESULTS}/benchmarks/sample_bases.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: threads_of_analysis(2)
    resources:
        mem_mb=4000,
    params:
        **SAMPLE_BASES,
    shell:
        "python -m hyperribbon.studies.bases.sample_bases --predictions {input.predictions:q}"
        " --data {input.data:q} --bases {params.bases:q} --smoothing {params.smoothing}"
        " --threads {threads} --output {output:q} --log {log:q}"


rule tangent_bases:
    input:
        predictions=PREDICTIONS,
    output:
        tables("tangent_bases"),
    log:
        f"{RESULTS}/logs/tangent_bases.log",
    benchmark:
        f"{RESULTS}/benchmarks/tangent_bases.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: threads_of_analysis(2)
    resources:
        mem_mb=4000,
    params:
        **TANGENT_BASES,
    shell:
        "python -m hyperribbon.studies.bases.tangent_bases --predictions {input.predictions:q}"
        " --bases {params.bases:q} --smoothing {params.smoothing} --threads {threads}"
        " --output {output:q} --log {log:q}"


if LINEARISED:
    KERNEL_TANGENTS = KEYS.parameters(
        "kernel_tangents",
        *(f"train {id}" for id in LINEARISED),
        modules=[network_code(CONFIGURATIONS[id]) for id in LINEARISED],
        linearised=LINEARISED,
        smoothing=SMOOTHING,
    )

    rule kernel_tangents:
        input:
            predictions=[weights_of(id) for id in LINEARISED],
            data=settled("prepare_data", f"{RESULTS}/data.json"),
        output:
            tables("kernel_tangents"),
        log:
            f"{RESULTS}/logs/kernel_tangents.log",
        benchmark:
            f"{RESULTS}/benchmarks/kernel_tangents.tsv"
        conda:
            "../../envs/training.yaml"
        threads: threads_of_analysis(2)
        resources:
            mem_mb=6000,
        params:
            **KERNEL_TANGENTS,
        shell:
            "python -m hyperribbon.studies.bases.kernel_tangents"
            " --predictions {input.predictions:q} --data {input.data:q}"
            " --smoothing {params.smoothing} --threads {threads}"
            " --output {output:q} --log {log:q}"
