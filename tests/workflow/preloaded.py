"""Snakemake and the library, imported once: each run is a fork of this process.

Reads lines of JSON, {"folder", "arguments", "output"}, and answers each with the exit status of
``snakemake ARGUMENTS`` in that folder, whose output goes to the file. The Snakefile of the folder
finds the library imported already, from the repository; what it looks at is the folder's: syntax
trees are parsed once for each text. Jobs, which `job_server` runs, import the folder's library.
"""

import atexit
import gc
import json
import os
import sys
from pathlib import Path

import pandas  # noqa: F401
import snakemake.cli
import snakemake.utils

sys.path.insert(0, str(Path(__file__).parents[2] / "src"))

import hyperribbon.recording.external  # noqa: F401
from hyperribbon.studies import code_version
from hyperribbon.studies.keys import Keys  # noqa: F401
from hyperribbon.studies.parts import PARTS, figure_module, step_module


def parse_library() -> None:
    """Parse every module, and forget all that depends on where it lies."""
    for part in PARTS:
        names = [step_module(step.name) for step in part.steps]
        names += [figure_module(name) for figure in part.figures for name in figure.drawn()]
        names += [part.module(name) for name in part.claims]
        for name in names:
            code_version.code_version(name)
    for function in vars(code_version).values():
        if hasattr(function, "cache_clear") and function is not code_version._parsed:
            function.cache_clear()


def main() -> None:
    parse_library()
    gc.freeze()  # else a fork copies what it only counts references to
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
    sys.executable = sys.argv[1]  # so the Snakefile finds the program that asks for a job
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
