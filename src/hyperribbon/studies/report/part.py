"""The report, which gathers the pieces of all parts, and their verification."""

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
                "Verdicts: for each claim, the rule with its margin, the published and the "
                "measured value with its interval, and whether it is reproduced, contradicted, "
                "undecided or not comparable here."
            ),
            "claims",
            """
            Every claim of the dissertation that this study can judge: the rule with its margin, the
            published value, the value that this study measured with its interval and the units
            that were drawn for it, and the verdict. The file
            ``claims.csv`` has the same as a table.
            """,
        ),
    ),
    files={
        "report.html": (
            "**Begin here.** All tables and figures with captions, run times and "
            "configuration, in a single page that works offline."
        ),
        "figures.json": (
            "Which figures were drawn, and why the others were left out: a study may be too "
            "small for some figures."
        ),
        "figures/*.svg": "Every figure again, for print.",
        "captions/": "The captions of the report.",
        "claims.csv": "The verdicts of `claims.html` as a table.",
        "checksums/": (
            "SHA-256 of tables, figures and pages, by the step that wrote them, for `make verify`."
        ),
        "study.json": "The study's configuration, with defaults filled in.",
        "keys.json": "The code and the settings with which the study was last complete.",
        "work/": (
            "Intermediate results from which a killed run continues, and from which a changed "
            "study reuses seeds and distances; may be deleted when nothing runs."
        ),
        "logs/": "The output of each job.",
        "benchmarks/": "The time and memory that each job took.",
    },
)
