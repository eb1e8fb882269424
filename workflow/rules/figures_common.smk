DRAW = KEYS.parameters("draw", *TABLES, modules=code_of_figures(STUDY), figures=list(FIGURES))

# A study may be too small for a figure, which only its tables show. So the output of `draw` is a
# list of the figures that it drew, and of those that it left out, with reasons. When this file is
# read again, figures on the list become outputs: all for the report, otherwise the deleted ones.
FIGURE_LIST = f"{RESULTS}/figures.json"


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
# For the report's first page.
config["left_out"] = LEFT_OUT
config["opening"] = ""
if REPORTING and Path(FIGURE_LIST).exists():
    config["opening"] = opening(Path(RESULTS), PAGES_BESIDE)
DRAWN = [
    path
    for figure in LISTED
    for path in (figure_in_report(figure), f"{RESULTS}/figures/{figure}.svg")
    if REPORTING or not Path(path).exists()
]
