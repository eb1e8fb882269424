"""Building blocks of reports: claims and their rules, pages, and the style of all figures.

Begin with `claims` for the rules by which results are judged, with `style` and `panels` for
figures, and with `page` for HTML. Nothing here knows which studies there are.
"""
