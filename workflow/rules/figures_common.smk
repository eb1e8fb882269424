FIGURES = figures_of(STUDY)  # categories by name, in the order of the report
DRAW = KEYS.parameters(
    "draw", *TABLES, modules=sorted(set(map(figure_module, FIGURES))), figures=list(FIGURES)
)

# A study may be too small for a figure, which only its tables show. So the output of `draw` is a
# list of the figures that it drew, and of those that it left out, with reasons. When this file is
# read again, figures on the list become outputs: all for the report, otherwise the deleted ones.
FIGURE_LIST = f"{RESULTS}/figures.json"
REPORTING = any(word.startswith("--report") for word in sys.argv)


def listed_figures():
    """Figures drawn from the present tables, and figures left out, with reasons."""
    try:
        found = json.loads(Path(FIGURE_LIST).read_text())
        if found["key"] == KEYS["draw"]:
            return found["drawn"], found["left_out"]
    except (OSError, ValueError, TypeError, KeyError):
        pass
    return [], {}


LISTED, LEFT_OUT = listed_figures()
config["left_out"] = LEFT_OUT  # for the report's first page
DRAWN = [
    path
    for figure in LISTED
    for path in (figure_in_report(figure), f"{RESULTS}/figures/{figure}.svg")
    if REPORTING or not Path(path).exists()
]
