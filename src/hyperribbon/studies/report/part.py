"""What gathers the pieces of all parts, and checks them."""

from hyperribbon.studies.part import Page, Part, Step

PART = Part(
    name="report",
    title="Report",
    applies=lambda study: True,
    steps=(
        Step("draw"),
        Step("claims"),
        Step("gather_report"),
        Step("verify"),
    ),
    pages=(
        Page(
            "claims.html",
            "claims",
            (
                "The verdict: each claim that the study can judge, its rule, what was "
                "published, what this study measured, reproduced or not."
            ),
            "claims",
            """
            Every claim of the dissertation that this study can judge, the rule by which that is
            done, the published value, what this study measured with an interval, and the verdict.
            The same as a table: ``claims.csv``.
            """,
        ),
    ),
    files={
        "report.html": (
            "**Begin here.** All tables and figures with captions, run times and "
            "configuration, in one page that needs no network."
        ),
        "figures.json": (
            "Which figures were drawn, and why the others were left out: a study may be too"
            " small for some of those below."
        ),
        "figures/*.svg": "Every figure again, for print.",
        "captions/": "The captions of the report.",
        "claims.csv": "The same verdicts as a table.",
        "checksums/": (
            "SHA-256 of tables, figures and pages, by the step that wrote them, for `make verify`."
        ),
        "study.json": "The study as it was resolved, defaults filled in.",
        "keys.json": "With which code and settings the study was last complete.",
        "work/": (
            "What a killed run goes on from, and what a changed study takes seeds and "
            "distances from; may be deleted when nothing runs."
        ),
        "logs/": "What each job said, and the time and memory it took.",
        "benchmarks/": "What each job said, and the time and memory it took.",
    },
)
