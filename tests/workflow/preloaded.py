"""Snakemake and the library, imported once: each run is a fork of this process.

All processes that run tests at once share it. Each keeps a connection, on which it sends lines of
JSON, {"folder", "arguments", "output"}, and is answered each with the exit status of ``snakemake
ARGUMENTS`` in that folder, whose output goes to the file. When the last connection ends, so does
this process. The Snakefile of the folder finds the library imported already, from the repository;
what it looks at is the folder's: syntax trees are parsed once for each text. The server of jobs,
`job_server`, is a fork of this process.
"""

import atexit
import gc
import importlib
import json
import os
import select
import shutil
import socket
import sys
from pathlib import Path

import job_server
import snakemake.cli
import snakemake.utils

sys.path.insert(0, str(job_server.SOURCE))

from hyperribbon.storage.locks import locked
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
    here = Path(sys.argv[1])
    python = job_server.start(here)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(here / "runs"))
        listener.listen()
        print("ready", flush=True)
        sessions, patience = 0, 60  # s
        while True:
            if select.select([listener], [], [], patience)[0]:
                asking, _ = listener.accept()
                if os.fork() == 0:
                    break
                asking.close()
                sessions += 1
            while sessions and os.waitpid(-1, os.WNOHANG)[0]:
                sessions -= 1
            patience = 1
            if sessions == 0 and is_over(listener, here):
                return
    serve(asking, python)


def is_over(listener: socket.socket, here: Path) -> bool:
    """Whether no one has connected meanwhile; the folder is removed then."""
    with locked(here):
        if select.select([listener], [], [], 0)[0]:
            return False
        shutil.rmtree(here)
        return True


def serve(asking: socket.socket, python: Path) -> None:
    """Run Snakemake as often as asked to, in a group of processes that can be ended alone."""
    os.setpgrp()
    asking.sendall(f"{os.getpid()}\n".encode())
    for line in asking.makefile():
        run = json.loads(line)
        child = os.fork()
        if child == 0:
            break
        _, status = os.waitpid(child, 0)
        asking.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())
    else:
        os._exit(0)  # Python's own end takes seconds
    run_snakemake(run, python)


def run_snakemake(run: dict, python: Path) -> None:
    """Be Snakemake, and end as it does."""
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
        atexit._run_exitfuncs()  # and no more
        sys.stdout.flush()
        os._exit(end.code if isinstance(end.code, int) else bool(end.code))


if __name__ == "__main__":
    main()
