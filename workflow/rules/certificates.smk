# PAC-Bayes certificates of the networks that the study names, one job per method (thesis 4.3.3).
CERTIFIED = STUDY.certificates.configurations(STUDY)
CERTIFICATES = {
    f"{c.id}-{method}": (c, method) for c in CERTIFIED for method in STUDY.certificates.methods
}
CERTIFICATE_NAMES = list(step_named("certificate_tables")[1].tables)
CERTIFICATE_PART = f"{RESULTS}/certificates/{{table}}-{{certificate}}.csv"
CERTIFY = KEYS.each(
    "certify",
    CERTIFICATES,
    upstream=lambda name: [f"train {CERTIFICATES[name][0].id}"],
    modules=lambda name: [network_code(CERTIFICATES[name][0])],
    certificates=lambda name: canonical_json(
        STUDY.certificates.only(*CERTIFICATES[name]).model_dump(mode="json")
    ),
)
CERTIFICATE_TABLES = KEYS.parameters(
    "certificate_tables", "certify", certificates=list(CERTIFICATES)
)


wildcard_constraints:
    certificate="|".join(CERTIFICATES),


rule certify:
    input:
        predictions=lambda wildcards: weights_of(CERTIFICATES[wildcards.certificate][0].id),
        data=settled("prepare_data", f"{RESULTS}/data.json"),
    output:
        expand(CERTIFICATE_PART, table=CERTIFICATE_NAMES, allow_missing=True),
    log:
        f"{RESULTS}/logs/certify/{{certificate}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/certify/{{certificate}}.tsv"
    conda:
        "../../envs/training.yaml"
    resources:
        gpu=gpus_per_job(),
        mem_mb=6000,
    params:
        code=of_piece(CERTIFY, "code", "certificate"),
        upstream=of_piece(CERTIFY, "upstream", "certificate"),
        certificates=of_piece(CERTIFY, "certificates", "certificate"),
    shell:
        "OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1"
        " python -m hyperribbon.studies.certificates.certify --predictions {input.predictions:q}"
        " --data {input.data:q} --certificates {params.certificates:q} --gpus {resources.gpu}"
        " --output {output:q} --log {log:q}"


rule certificate_tables:
    input:
        [
            settled(f"certify {name}", CERTIFICATE_PART.format(table=table, certificate=name))
            for table in CERTIFICATE_NAMES
            for name in CERTIFICATES
        ],
    output:
        tables("certificate_tables"),
    log:
        f"{RESULTS}/logs/certificate_tables.log",
    benchmark:
        f"{RESULTS}/benchmarks/certificate_tables.tsv"
    conda:
        "../../envs/analysis.yaml"
    resources:
        mem_mb=1000,
    params:
        **CERTIFICATE_TABLES,
    shell:
        "python -m hyperribbon.studies.certificates.tables --parts {input:q}"
        " --output {output:q} --log {log:q}"
