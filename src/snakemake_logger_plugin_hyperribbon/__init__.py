"""What Snakemake prints while a study runs: what there is to do, a live line, what is of note.

Snakemake finds this package by its name; the profiles choose it (``logger: hyperribbon``). The full
log is where it always is, in ``.snakemake/log``. Dry runs print what they do without it.
"""

from snakemake_logger_plugin_hyperribbon.handler import LogHandler

__all__ = ["LogHandler"]
