# Where the report shows what; of some figures there is one a split.
SPLIT_FIGURES = ["manifold", "spectrum", "pairs", "loss_error", "dendrogram"]
FIGURES = {
    **{
        f"{name}_{split}": f"Predictions on the {split} data"
        for name in SPLIT_FIGURES
        for split in SPLITS
    },
    **dict.fromkeys(["progress_error", "progress_epoch", "tubes"], "Progress and tubes"),
    **dict.fromkeys(["null"], "How low-dimensional is it?"),
}
if STUDY.corners:
    names = ["corners_train", "corners_test", "rejoining"]
    FIGURES |= dict.fromkeys(names, "By random labels to the truth")


def figure_in_report(figure):
    name = figure.removesuffix("_train").removesuffix("_test")
    return report(
        f"{RESULTS}/figures/{figure}.png",
        caption=f"../report/figures/{name}.rst",
        category=FIGURES[figure],
        labels={"figure": figure.replace("_", " ")},
    )


DRAW = parameters("draw", *TABLES)
EXPLORE = parameters("explore", "tables")


# All figures in one job: most take less time than Python's start.
rule draw:
    input:
        tables=[settled(step, TABLES[step]) for step in TABLES],
    output:
        png=[figure_in_report(figure) for figure in FIGURES],
        svg=[f"{RESULTS}/figures/{figure}.svg" for figure in FIGURES],
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
    shell:
        "python -m hyperribbon.steps.draw --tables {input.tables:q} --threads {threads}"
        " --output {output:q} --log {log:q}"


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
