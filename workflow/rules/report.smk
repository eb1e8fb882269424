report: "../report/study.rst"


REPORTED = [
    *TABLES,
    *expand(
        f"{RESULTS}/figures/{{figure}}.{{format}}",
        figure=FIGURES,
        format=["png", "svg"],
    ),
    f"{RESULTS}/explorer.html",
    f"{RESULTS}/summary.html",
]


# Named as targets so that one that was deleted is made again.
STORES = [
    *PREDICTIONS,
    *expand(
        f"{RESULTS}/{{kind}}/{{split}}.zarr",
        kind=["distance", "embedding", "progress", "trajectories"],
        split=SPLITS,
    ),
]


localrules:
    gather_report,


# Snakemake's own report, made by a second Snakemake that only reads: it is given the resolved
# study, and all results but the report itself.
rule gather_report:
    input:
        REPORTED,
    output:
        report=REPORT,
        study=f"{RESULTS}/study.json",
    log:
        f"{RESULTS}/logs/gather_report.log",
    benchmark:
        f"{RESULTS}/benchmarks/gather_report.tsv"
    conda:
        "../../envs/report.yaml"
    params:
        study=STUDY.model_dump_json(),
        snakefile=os.path.relpath(REPOSITORY / "Snakefile"),
    shell:
        "(printf '%s' {params.study:q} > {output.study:q} && snakemake --nolock --quiet all"
        " --snakefile {params.snakefile:q} --configfile {output.study:q}"
        " --report {output.report:q} -- {input:q}) > {log:q} 2>&1"
