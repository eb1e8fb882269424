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
        data=canonical_json(STUDY.data.model_dump(mode="json")),
    shell:
        "python -m hyperribbon.steps.prepare_data"
        " --data {params.data:q} --output {output:q} --log {log:q}"


# The work folder is no output: Snakemake would delete it, and with it the finished seeds.
rule train:
    input:
        data=f"{RESULTS}/data.npz",
    output:
        directory(f"{RESULTS}/predictions/{{configuration}}.zarr"),
    log:
        f"{RESULTS}/logs/train/{{configuration}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/train/{{configuration}}.tsv"
    conda:
        "../../envs/training.yaml"
    threads: STUDY.training.threads
    resources:
        gpu=gpus_per_training(),
        mem_mb=2000,
    params:
        configuration=lambda wildcards: CONFIGURATIONS[wildcards.configuration].to_json(),
        work=f"{RESULTS}/work/{{configuration}}",
    shell:
        "python -m hyperribbon.steps.train --configuration {params.configuration:q}"
        " --data {input.data:q} --work {params.work:q} --output {output:q} --log {log:q}"
