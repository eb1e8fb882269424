# Of the data, this reads only a hash of the content of the user's own file or store, and only
# once, not in the Snakemake of every job.
try:
    if workflow.is_main_process or os.environ.get("HYPERRIBBON_CONTENT") is None:
        os.environ.update(HYPERRIBBON_CONTENT=STUDY.data.fingerprint())
except ConfigError as error:
    raise WorkflowError(str(error)) from None
CONTENT = os.environ.get("HYPERRIBBON_CONTENT")
DATA_MODULE = f"hyperribbon.data.{STUDY.data.name}"
SOURCE_RECORD = []
FETCHED = ["fetch_data"] if STUDY.data.fetched else []


if FETCHED:
    SOURCE_RECORD = f"{RESULTS}/source.json"
    FETCH = KEYS.parameters("fetch_data", modules=[DATA_MODULE], name=STUDY.data.name)

    # Runs where Snakemake runs, because nodes of a cluster may have no internet.
    rule fetch_data:
        output:
            SOURCE_RECORD,
        log:
            f"{RESULTS}/logs/fetch_data.log",
        benchmark:
            f"{RESULTS}/benchmarks/fetch_data.tsv"
        localrule: True
        conda:
            "../../envs/training.yaml"
        params:
            **FETCH,
        shell:
            "python -m hyperribbon.studies.grid.fetch_data"
            " --name {params.name:q} --output {output:q} --log {log:q}"


PREPARE = KEYS.parameters(
    "prepare_data",
    *FETCHED,
    modules=[DATA_MODULE],
    data=canonical_json(STUDY.data.model_dump(mode="json")),
    resolved=canonical_json(STUDY.data.resolved),
    content=CONTENT,
)


# The work folder is not an output, because Snakemake would delete it and the finished chunks.
rule prepare_data:
    input:
        source=settled("fetch_data", SOURCE_RECORD),
    output:
        store=directory(f"{RESULTS}/data.zarr"),
        manifest=f"{RESULTS}/data.json",
    log:
        f"{RESULTS}/logs/prepare_data.log",
    benchmark:
        f"{RESULTS}/benchmarks/prepare_data.tsv"
    priority: FIRST
    conda:
        "../../envs/training.yaml"
    resources:
        mem_mb=2000,
    params:
        **PREPARE,
        work=f"{RESULTS}/work/data",
    shell:
        "python -m hyperribbon.studies.grid.prepare_data"
        " --data {params.data:q} --content={params.content} --code {params.code}"
        " --work {params.work:q} --output {output.store:q} --log {log:q}"


# The code of a network, or of a method, counts only for its own trainings.
TRAIN = KEYS.each(
    "train",
    CONFIGURATIONS,
    upstream=lambda id: ["prepare_data"],
    modules=lambda id: [
        network_code(CONFIGURATIONS[id]),
        f"hyperribbon.training.methods.{CONFIGURATIONS[id].method.name}",
    ],
    configuration=lambda id: CONFIGURATIONS[id].to_json(),
)
STORES += both_files(f"{RESULTS}/data")
STORES += [path for id in CONFIGURATIONS for path in both_files(f"{RESULTS}/predictions/{id}")]


# The work folder is not an output, because Snakemake would delete it and the finished seeds.
rule train:
    input:
        data=settled("prepare_data", f"{RESULTS}/data.json"),
        start=start_of,
    output:
        store=directory(f"{RESULTS}/predictions/{{configuration}}.zarr"),
        manifest=f"{RESULTS}/predictions/{{configuration}}.json",
    log:
        f"{RESULTS}/logs/train/{{configuration}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/train/{{configuration}}.tsv"
    priority: FIRST
    conda:
        "../../envs/training.yaml"
    threads: STUDY.training.threads * seeds_at_once()
    resources:
        gpu=gpus_per_job(),
        parallel_seeds=seeds_at_once(),
        mem_mb=lambda wildcards, attempt: attempt * training_mb(),
    params:
        code=of_piece(TRAIN, "code", "configuration"),
        upstream=of_piece(TRAIN, "upstream", "configuration"),
        configuration=of_piece(TRAIN, "configuration", "configuration"),
        work=f"{RESULTS}/work/train",
        start=lambda wildcards, input: ["--start", input.start] if input.start else [],
    shell:
        "python -m hyperribbon.studies.grid.train --configuration {params.configuration:q}"
        " --data {input.data:q} {params.start:q} --work {params.work:q} --code {params.code}"
        " --parallel-seeds {resources.parallel_seeds} --gpus {resources.gpu} --output {output.store:q} --log {log:q}"
