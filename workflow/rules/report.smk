report: "../report/study.rst"


TABULATED = [path for paths in TABLES.values() for path in paths]
PAGES = {
    "first_picture": [f"{RESULTS}/first_picture.png"],
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


check_captions()


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
    localrule: True
    conda:
        "../../envs/report.yaml"
    params:
        code=code_version("hyperribbon.steps.gather_report", "snakemake"),
        record=canonical_json(KEYS),
        study=canonical_json(STUDY.model_dump(mode="json", exclude={"dask"})),
        snakefile=os.path.relpath(REPOSITORY / "Snakefile"),
    shell:
        "python -m hyperribbon.steps.gather_report --snakefile {params.snakefile:q}"
        " --study {params.study:q} --keys {params.record:q} --results {input:q}"
        " --output {output:q} --log {log:q}"


# By name only: `snakemake verify`. It reads what there is and makes nothing.
rule verify:
    log:
        f"{RESULTS}/logs/verify.log",
    retries: 0
    localrule: True
    conda:
        "../../envs/analysis.yaml"
    params:
        results=RESULTS,
        recorded=EXTERNAL,
        stale=[
            step
            for step in KEYS
            if " " not in step and RECORDED and RECORDED.get(step) != KEYS[step]
        ],
    shell:
        "python -m hyperribbon.steps.verify --results {params.results:q}"
        " --recorded {params.recorded:q} --stale {params.stale:q} --log {log:q}"
