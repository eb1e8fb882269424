# Figure: its tables, and where the report shows it.
FIGURES = {
    **{
        f"{figure}_{split}": (tables, f"Predictions on the {split} data")
        for figure, tables in {
            "manifold": ["models", "geodesic", "explained_stress"],
            "spectrum": ["explained_stress"],
            "pairs": ["models", "geodesic", "explained_stress"],
            "loss_error": ["models", "geodesic", "explained_stress"],
            "dendrogram": ["trajectories", "configuration_distances"],
        }.items()
        for split in SPLITS
    },
    "progress_error": (["models", "summary"], "Progress and tubes"),
    "progress_epoch": (["models"], "Progress and tubes"),
    "tubes": (["tubes"], "Progress and tubes"),
}


DRAW = parameters("draw", "tables")
EXPLORE = parameters("explore", "tables")


rule draw:
    input:
        tables=lambda wildcards: settled(
            "tables", expand(f"{RESULTS}/tables/{{table}}.csv", table=FIGURES[wildcards.figure][0])
        ),
    output:
        png=report(
            f"{RESULTS}/figures/{{figure}}.png",
            caption="../report/draw.rst",
            category=lambda wildcards: FIGURES[wildcards.figure][1],
            labels=lambda wildcards: {"figure": wildcards.figure.replace("_", " ")},
        ),
        svg=f"{RESULTS}/figures/{{figure}}.svg",
    log:
        f"{RESULTS}/logs/draw/{{figure}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/draw/{{figure}}.tsv"
    wildcard_constraints:
        figure="|".join(FIGURES),
    conda:
        "../../envs/figures.yaml"
    resources:
        mem_mb=1000,
    params:
        **DRAW,
    shell:
        "python -m hyperribbon.steps.draw --figure {wildcards.figure}"
        " --tables {input.tables:q} --output {output:q} --log {log:q}"


rule explore:
    input:
        tables=settled(
            "tables",
            expand(
                f"{RESULTS}/tables/{{table}}.csv",
                table=["models", "geodesic", "explained_stress"],
            ),
        ),
    output:
        report(
            f"{RESULTS}/explorer.html",
            caption="../report/explore.rst",
            category="Interactive",
            labels={"figure": "explorer"},
        ),
    log:
        f"{RESULTS}/logs/explore.log",
    benchmark:
        f"{RESULTS}/benchmarks/explore.tsv"
    conda:
        "../../envs/figures.yaml"
    resources:
        mem_mb=1000,
    params:
        **EXPLORE,
    shell:
        "python -m hyperribbon.steps.explore"
        " --tables {input.tables:q} --output {output:q} --log {log:q}"
