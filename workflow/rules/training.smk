DATA = parameters(
    "prepare_data",
    modules=[f"hyperribbon.data.{STUDY.data.name}"],
    data=canonical_json(STUDY.data.model_dump(mode="json")),
)


rule prepare_data:
    output:
        f"{RESULTS}/data.npz",
    log:
        f"{RESULTS}/logs/prepare_data.log",
    benchmark:
        f"{RESULTS}/benchmarks/prepare_data.tsv"
    conda:
        "../../envs/training.yaml"
    resources:
        mem_mb=1000,
    params:
        **DATA,
    shell:
        "python -m hyperribbon.steps.prepare_data"
        " --data {params.data:q} --output {output:q} --log {log:q}"


# A network's code counts for its own trainings only.
TRAIN = {
    id: parameters(
        "train",
        "prepare_data",
        modules=[f"hyperribbon.networks.{configuration.network.architecture}"],
        configuration=configuration.to_json(),
    )
    for id, configuration in CONFIGURATIONS.items()
}
remember("train", TRAIN, "prepare_data")


# The work folder is no output: Snakemake would delete it, and with it the finished seeds.
rule train:
    input:
        data=settled("prepare_data", f"{RESULTS}/data.npz"),
    output:
        store=directory(f"{RESULTS}/predictions/{{configuration}}.zarr"),
        manifest=f"{RESULTS}/predictions/{{configuration}}.json",
    log:
        f"{RESULTS}/logs/train/{{configuration}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/train/{{configuration}}.tsv"
    conda:
        "../../envs/training.yaml"
    threads: STUDY.training.threads * seeds_at_once()
    resources:
        gpu=gpus_per_training(),
        mem_mb=seeds_at_once() * (2000 + data_mb()),
    params:
        code=lambda wildcards: TRAIN[wildcards.configuration]["code"],
        upstream=lambda wildcards: TRAIN[wildcards.configuration]["upstream"],
        configuration=lambda wildcards: TRAIN[wildcards.configuration]["configuration"],
        work=f"{RESULTS}/work/train",
    shell:
        "python -m hyperribbon.steps.train --configuration {params.configuration:q}"
        " --data {input.data:q} --work {params.work:q} --code {params.code}"
        " --gpus {resources.gpu} --output {output.store:q} --log {log:q}"
