include: "figures_common.smk"


# All figures in one job, because most take less time than starting Python.
rule draw:
    input:
        tables=[settled(step, TABLES[step]) for step in TABLES],
    output:
        DRAWN,
        list=FIGURE_LIST,
    log:
        f"{RESULTS}/logs/draw.log",
    benchmark:
        f"{RESULTS}/benchmarks/draw.tsv"
    conda:
        "../../envs/figures.yaml"
    threads: 4
    resources:
        mem_mb=2000,
    params:
        **DRAW,
        key=KEYS["draw"],
        folder=lambda wildcards, output: str(Path(output.list).with_suffix("")),
    shell:
        "python -m hyperribbon.studies.report.draw --tables {input.tables:q} --figures {params.figures}"
        " --threads {threads} --key {params.key} --folder {params.folder:q}"
        " --output {output.list:q} --log {log:q}"
