include: "figures.smk"
include: "claims.smk"


report: "../report/study.rst"


PAGES["claims"].append(f"{RESULTS}/claims.csv")
TABULATED = [path for paths in TABLES.values() for path in paths]
REPORTED = [*TABULATED, FIGURE_LIST, *DRAWN, *(page for pages in PAGES.values() for page in pages)]


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
        code=code_version(
            step_module("gather_report"), "hyperribbon.studies.report.opening", "snakemake"
        ),
        captions=digest(sorted(captions())),
        figures=json.dumps(FIGURES),
        record=canonical_json(dict(KEYS)),
        study=canonical_json(STUDY.model_dump(mode="json", exclude={"dask"})),
        snakefile=os.path.relpath(REPOSITORY / "Snakefile"),
    shell:
        "python -m hyperribbon.studies.report.gather_report --snakefile {params.snakefile:q}"
        " --study {params.study:q} --keys {params.record:q} --results {input:q}"
        " --output {output:q} --log {log:q}"


# Runs only if asked for, `snakemake verify`; it reads what exists and makes nothing.
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
        stale=KEYS.stale(),
    shell:
        "python -m hyperribbon.studies.report.verify --results {params.results:q}"
        " --recorded {params.recorded:q} --stale {params.stale:q} --log {log:q}"
