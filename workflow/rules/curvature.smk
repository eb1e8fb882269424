# Curvature of the loss, for the networks that the study names (thesis 4).
LOOKED_AT = {c.id: c for c in STUDY.curvature.configurations(STUDY)}
CURVATURE = KEYS.each(
    "curvature",
    LOOKED_AT,
    upstream=lambda id: [f"train {id}"],
    modules=lambda id: [network_code(LOOKED_AT[id])],
    samples=lambda id: STUDY.curvature.samples,
    eigenvalues=lambda id: STUDY.curvature.eigenvalues,
)
STORES += [path for id in LOOKED_AT for path in both_files(f"{RESULTS}/curvature/{id}")]
SPECTRA = KEYS.parameters("spectra", "curvature")


rule curvature:
    input:
        predictions=lambda wildcards: weights_of(wildcards.configuration),
        data=settled("prepare_data", f"{RESULTS}/data.json"),
    output:
        store=directory(f"{RESULTS}/curvature/{{configuration}}.zarr"),
        manifest=f"{RESULTS}/curvature/{{configuration}}.json",
    log:
        f"{RESULTS}/logs/curvature/{{configuration}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/curvature/{{configuration}}.tsv"
    conda:
        "../../envs/training.yaml"
    threads: threads_of_analysis(2)  # two in any case: last digits depend on their number
    resources:
        gpu=gpus_per_job(),
        mem_mb=6000,
    params:
        code=of_piece(CURVATURE, "code", "configuration"),
        upstream=of_piece(CURVATURE, "upstream", "configuration"),
        samples=STUDY.curvature.samples,
        eigenvalues=STUDY.curvature.eigenvalues,
    shell:
        "OMP_NUM_THREADS=2 OPENBLAS_NUM_THREADS=2 MKL_NUM_THREADS=2 OMP_WAIT_POLICY=passive"
        " python -m hyperribbon.studies.curvature.curvature --predictions {input.predictions:q}"
        " --data {input.data:q} --samples {params.samples} --eigenvalues {params.eigenvalues}"
        " --gpus {resources.gpu}"
        " --threads 2 --code {params.code} --output {output.store:q} --log {log:q}"


rule spectra:
    input:
        curvature=settled("curvature", [f"{RESULTS}/curvature/{id}.json" for id in LOOKED_AT]),
    output:
        tables("spectra"),
    log:
        f"{RESULTS}/logs/spectra.log",
    benchmark:
        f"{RESULTS}/benchmarks/spectra.tsv"
    conda:
        "../../envs/training.yaml"
    resources:
        mem_mb=2000,
    params:
        **SPECTRA,
    shell:
        "python -m hyperribbon.studies.curvature.spectra --curvature {input.curvature:q}"
        " --output {output:q} --log {log:q}"
