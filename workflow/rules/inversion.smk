# Class manifolds of hidden layers through training, and their inversion (arXiv:2303.05161).
include: "inversion_common.smk"


INVERSION_INPUTS = KEYS.each(
    "inversion_inputs",
    INVERSION_DATA,
    modules=lambda name: [f"hyperribbon.data.{name}"],
    samples=lambda _: INVERSION.samples,
    image_size=inversion_size,
)
INVERSION_JOBS = KEYS.each(
    "inversion",
    INVERSION_DATA,
    upstream=lambda name: [f"inversion_inputs {name}"],
    inversion=inversion_json,
)
INVERSION_TABLES = KEYS.parameters("inversion_tables", "inversion", data=INVERSION_DATA)


# Runs where Snakemake runs: it downloads images, and nodes of a cluster may have no internet.
rule inversion_inputs:
    output:
        INVERSION_INPUTS_FILE,
    log:
        f"{RESULTS}/logs/inversion_inputs/{{inversion_data}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/inversion_inputs/{{inversion_data}}.tsv"
    localrule: True
    conda:
        "../../envs/training.yaml"
    resources:
        mem_mb=2000,
    params:
        code=of_piece(INVERSION_INPUTS, "code", "inversion_data"),
        samples=INVERSION.samples,
        image_size=of_piece(INVERSION_INPUTS, "image_size", "inversion_data"),
    shell:
        "python -m hyperribbon.studies.inversion.inputs --name {wildcards.inversion_data}"
        " --samples {params.samples} --image-size {params.image_size}"
        " --output {output:q} --log {log:q}"


rule inversion:
    input:
        lambda wildcards: settled(
            f"inversion_inputs {wildcards.inversion_data}",
            INVERSION_INPUTS_FILE.format(inversion_data=wildcards.inversion_data),
        ),
    output:
        expand(INVERSION_PART, table=INVERSION_NAMES, allow_missing=True),
    log:
        f"{RESULTS}/logs/inversion/{{inversion_data}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/inversion/{{inversion_data}}.tsv"
    conda:
        "../../envs/training.yaml"
    resources:
        mem_mb=4000,
    params:
        code=of_piece(INVERSION_JOBS, "code", "inversion_data"),
        upstream=of_piece(INVERSION_JOBS, "upstream", "inversion_data"),
        inversion=of_piece(INVERSION_JOBS, "inversion", "inversion_data"),
    shell:
        "python -m hyperribbon.studies.inversion.inversion --inversion {params.inversion:q}"
        " --inputs {input:q} --output {output:q} --log {log:q}"


rule inversion_tables:
    input:
        [
            settled(f"inversion {name}", INVERSION_PART.format(table=table, inversion_data=name))
            for table in INVERSION_NAMES
            for name in INVERSION_DATA
        ],
    output:
        tables("inversion_tables"),
    log:
        f"{RESULTS}/logs/inversion_tables.log",
    benchmark:
        f"{RESULTS}/benchmarks/inversion_tables.tsv"
    conda:
        "../../envs/analysis.yaml"
    resources:
        mem_mb=1000,
    params:
        **INVERSION_TABLES,
    shell:
        "python -m hyperribbon.studies.inversion.tables --parts {input:q}"
        " --output {output:q} --log {log:q}"
