"""Snakemake and the library, imported once: each run is a fork of this process.

Reads lines of JSON, {"folder", "arguments", "output"}, and answers each with the exit status of
``snakemake ARGUMENTS`` in that folder, whose output goes to the file. The Snakefile of the folder
finds the library imported already, from the repository; what it looks at is the folder's: syntax
trees are parsed once for each text. The server of jobs, `job_server`, is a fork of this process.
"""

import atexit
import gc
import importlib
import json
import os
import sys
from pathlib import Path

import job_server
import snakemake.cli
import snakemake.utils

sys.path.insert(0, str(job_server.SOURCE))

from hyperribbon.studies import code_version

# What every run of Snakemake imports, of the library and its own.
OF_RUNS = ("hyperribbon.recording.external", "hyperribbon.studies.housekeeping",
           "hyperribbon.studies.keys", "hyperribbon.studies.report.chapters",
           "hyperribbon.studies.report.opening", "hyperribbon.studies.study", "smart_open",
           "snakemake.report.html_reporter", "snakemake_logger_plugin_hyperribbon",
           "yte")  # fmt: skip


def import_snakemake() -> None:
    """Import what runs of Snakemake do, with its plugins."""
    for name in OF_RUNS:
        importlib.import_module(name)
    snakemake.cli.get_argument_parser()


def parse_library() -> None:
    """Parse every module, and forget all that depends on where it lies."""
    for name in job_server.modules_of_jobs():
        code_version.code_version(name)
    for function in vars(code_version).values():
        if hasattr(function, "cache_clear") and function is not code_version._parsed:
            function.cache_clear()


def main() -> None:
    job_server.import_library()
    import_snakemake()
    parse_library()
    gc.freeze()  # else a fork copies what it only counts references to
    python = job_server.start(Path(sys.argv[1]))
    for line in sys.stdin:
        run = json.loads(line)
        child = os.fork()
        if child == 0:
            break
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)
    else:
        return
    folder = Path(run["folder"])
    copy = folder / "src" / "hyperribbon"
    code_version.ROOT = copy if copy.is_dir() else code_version.ROOT
    sys.executable = str(python)  # so the Snakefile finds the program that asks for a job
    os.chdir(folder)
    sys.path[0] = str(folder)
    sys.argv[:] = ["snakemake", *run["arguments"]]
    output = os.open(run["output"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for stream, source in ((0, os.open(os.devnull, os.O_RDONLY)), (1, output), (2, output)):
        os.dup2(source, stream)
    try:
        snakemake.cli.main(run["arguments"])
    except SystemExit as end:
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
        atexit._run_exitfuncs()  # and no more: Python's own end takes seconds
        sys.stdout.flush()
        os._exit(end.code if isinstance(end.code, int) else bool(end.code))


if __name__ == "__main__":
    main()
