report: "../report/study.rst"


TABULATED = [path for paths in TABLES.values() for path in paths]
PAGES = {
    "explore": [f"{RESULTS}/explorer.html"],
    "summarise": [f"{RESULTS}/summary.html"],
    "claims": [f"{RESULTS}/claims.csv", f"{RESULTS}/claims.html"],
}
PAGES = {step: pages for step, pages in PAGES.items() if MODELS or step == "claims"}
if STUDY.linear:
    PAGES["explore_linear"] = [f"{RESULTS}/linear_explorer.html"]
REPORTED = [*TABULATED, FIGURE_LIST, *DRAWN, *(page for pages in PAGES.values() for page in pages)]


# Named as targets so that one that was deleted is made again.
STORES = [
    *expand(f"{RESULTS}/data.{{suffix}}", suffix=["zarr", "json"] if CONFIGURATIONS else []),
    *expand(f"{RESULTS}/predictions/{{id}}.{{suffix}}", id=CONFIGURATIONS, suffix=["zarr", "json"]),
    *expand(
        f"{RESULTS}/{{kind}}/{{split}}.{{suffix}}",
        kind=["distance", "embedding", "progress", "trajectories"] if MODELS else [],
        split=SPLITS,
        suffix=["zarr", "json"],
    ),
    *expand(
        f"{RESULTS}/curvature/{{id}}.{{suffix}}",
        id=[c.id for c in STUDY.looked_at()],
        suffix=["zarr", "json"],
    ),
    *expand(
        f"{RESULTS}/synthetic/{{id}}.{{suffix}}",
        id=EXPERIMENTS if STUDY.synthetic else [],
        suffix=["zarr", "json"],
    ),
]


localrules:
    gather_report,
    verify,


# Snakemake's own report, made by a second Snakemake that only reads: it is given the resolved
# study, and all results but the report itself.
rule gather_report:
    input:
        [settled(step, TABLES[step]) for step in TABLES],
        settled("draw", FIGURE_LIST),
        [settled(step, PAGES[step]) for step in PAGES],
    output:
        report=REPORT,
        study=f"{RESULTS}/study.json",
        record=RECORD,
    log:
        f"{RESULTS}/logs/gather_report.log",
    benchmark:
        f"{RESULTS}/benchmarks/gather_report.tsv"
    conda:
        "../../envs/report.yaml"
    params:
        code=code_version("snakemake"),
        record=canonical_json(KEYS),
        study=canonical_json(STUDY.model_dump(mode="json", exclude={"dask"})),
        snakefile=os.path.relpath(REPOSITORY / "Snakefile"),
    shell:
        "(printf '%s' {params.study:q} > {output.study:q} && snakemake --nolock --quiet all"
        " --snakefile {params.snakefile:q} --configfile {output.study:q}"
        " --report {output.report:q} -- {input:q}"
        " && printf '%s' {params.record:q} > {output.record:q}) > {log:q} 2>&1"


# By name only: `snakemake verify`. It reads what there is and makes nothing.
rule verify:
    log:
        f"{RESULTS}/logs/verify.log",
    retries: 0
    conda:
        "../../envs/analysis.yaml"
    params:
        results=RESULTS,
        stale=[step for step in KEYS if RECORDED and RECORDED.get(step) != KEYS[step]],
    shell:
        "python -m hyperribbon.steps.verify --results {params.results:q}"
        " --stale {params.stale} --log {log:q}"
