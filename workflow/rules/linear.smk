# Linear regression in closed form (thesis 5), and trainings on real data to compare with it.
include: "linear_common.smk"


LINEAR_THEORY = KEYS.parameters(
    "linear",
    linear=canonical_json(LINEAR.model_dump(mode="json", exclude={"experiments"})),
)


rule linear:
    output:
        tables("linear"),
    log:
        f"{RESULTS}/logs/linear.log",
    benchmark:
        f"{RESULTS}/benchmarks/linear.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: 2
    resources:
        mem_mb=lambda wildcards, threads: diagram_mb(threads),
    params:
        **LINEAR_THEORY,
    shell:
        "python -m hyperribbon.studies.linear.linear --linear {params.linear:q} --threads {threads}"
        " --output {output:q} --log {log:q}"


LINEAR_EXPLORE = KEYS.parameters("linear_explore", "linear")


rule linear_explore:
    input:
        settled("linear", f"{RESULTS}/tables/linear_phase.csv"),
    output:
        page("linear_explore"),
    log:
        f"{RESULTS}/logs/linear_explore.log",
    benchmark:
        f"{RESULTS}/benchmarks/linear_explore.tsv"
    conda:
        "../../envs/figures.yaml"
    resources:
        mem_mb=1000,
    params:
        **LINEAR_EXPLORE,
        linear=LINEAR_THEORY["linear"],
    shell:
        "python -m hyperribbon.studies.linear.explore --phase {input:q} --linear {params.linear:q}"
        " --output {output:q} --log {log:q}"


if LINEAR.experiments:
    LINEAR_INPUTS = KEYS.each(
        "linear_inputs",
        LINEAR.experiments.data,
        modules=lambda name: [f"hyperribbon.data.{name}"],
        samples=lambda _: LINEAR.experiments.samples,
        image_size=lambda _: LINEAR.experiments.image_size,
    )
    LINEAR_EXPERIMENT = KEYS.each(
        "linear_experiment",
        LINEAR_DATA,
        upstream=lambda name: [f"linear_inputs {name}"] if name != "sloppy" else [],
        linear=experiment_json,
    )
    LINEAR_TABLES = KEYS.parameters("linear_tables", "linear_experiment", data=LINEAR_DATA)

    # Runs where Snakemake runs: it downloads images, and nodes of a cluster may have no internet.
    rule linear_inputs:
        output:
            SAMPLES,
        log:
            f"{RESULTS}/logs/linear_inputs/{{linear_data}}.log",
        benchmark:
            f"{RESULTS}/benchmarks/linear_inputs/{{linear_data}}.tsv"
        localrule: True
        conda:
            "../../envs/training.yaml"
        resources:
            mem_mb=4000,
        params:
            code=of_piece(LINEAR_INPUTS, "code", "linear_data"),
            samples=LINEAR.experiments.samples,
            image_size=LINEAR.experiments.image_size,
        shell:
            "python -m hyperribbon.studies.linear.inputs --name {wildcards.linear_data}"
            " --samples {params.samples} --image-size {params.image_size}"
            " --output {output:q} --log {log:q}"

    rule linear_experiment:
        input:
            samples_of,
        output:
            expand(EXPERIMENT_PART, table=EXPERIMENT_TABLES, allow_missing=True),
        log:
            f"{RESULTS}/logs/linear_experiment/{{linear_data}}.log",
        benchmark:
            f"{RESULTS}/benchmarks/linear_experiment/{{linear_data}}.tsv"
        conda:
            "../../envs/training.yaml"
        resources:
            mem_mb=2000 + 40 * LINEAR.experiments.models * LINEAR.experiments.samples**2 // 10**6,
        params:
            code=of_piece(LINEAR_EXPERIMENT, "code", "linear_data"),
            upstream=of_piece(LINEAR_EXPERIMENT, "upstream", "linear_data"),
            linear=of_piece(LINEAR_EXPERIMENT, "linear", "linear_data"),
        shell:
            "python -m hyperribbon.studies.linear.experiment --inputs {input:q}"
            " --linear {params.linear:q} --output {output:q} --log {log:q}"

    rule linear_tables:
        input:
            [
                settled(
                    f"linear_experiment {name}",
                    EXPERIMENT_PART.format(table=table, linear_data=name),
                )
                for table in EXPERIMENT_TABLES
                for name in LINEAR_DATA
            ],
        output:
            tables("linear_tables"),
        log:
            f"{RESULTS}/logs/linear_tables.log",
        benchmark:
            f"{RESULTS}/benchmarks/linear_tables.tsv"
        conda:
            "../../envs/analysis.yaml"
        resources:
            mem_mb=1000,
        params:
            **LINEAR_TABLES,
        shell:
            "python -m hyperribbon.studies.linear.tables --parts {input:q}"
            " --output {output:q} --log {log:q}"
