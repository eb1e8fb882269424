# Curvature of the loss, of the networks that the study names (thesis 4).
LOOKED_AT = {
    c.id: parameters(
        "curvature",
        WEIGHTS[c.id],
        modules=[f"hyperribbon.networks.{c.network.architecture}"],
        samples=STUDY.curvature.samples,
        eigenvalues=STUDY.curvature.eigenvalues,
        draws=STUDY.curvature.draws,
    )
    for c in STUDY.looked_at()
}
remember("curvature", LOOKED_AT, *[WEIGHTS[id] for id in LOOKED_AT])
SPECTRA = parameters("spectra", "curvature")


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
    threads: threads_of_analysis(2)
    resources:
        gpu=gpus_per_job(),
        mem_mb=6000,
    params:
        code=lambda wildcards: LOOKED_AT[wildcards.configuration]["code"],
        upstream=lambda wildcards: LOOKED_AT[wildcards.configuration]["upstream"],
        samples=STUDY.curvature.samples,
        eigenvalues=STUDY.curvature.eigenvalues,
        draws=STUDY.curvature.draws,
    shell:
        "python -m hyperribbon.steps.curvature --predictions {input.predictions:q}"
        " --data {input.data:q} --samples {params.samples} --eigenvalues {params.eigenvalues}"
        " --draws {params.draws} --gpus {resources.gpu}"
        " --threads {threads} --code {params.code} --output {output.store:q} --log {log:q}"


rule spectra:
    input:
        curvature=settled("curvature", [f"{RESULTS}/curvature/{id}.json" for id in LOOKED_AT]),
    output:
        tables(
            "spectra",
            "spectra",
            "sloppiness",
            "effective_dimension",
            "eigenspace_overlaps",
            "eigenvector_products",
            "reduction",
            "reduction_embedding",
            "reduction_critical",
            "spectral_density",
            "norm_bounds",
            "certificates",
        ),
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
        "python -m hyperribbon.steps.spectra --curvature {input.curvature:q}"
        " --output {output:q} --log {log:q}"
