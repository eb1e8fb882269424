"""Modules that are imported once: each run of a program is a fork of a process that has them.

A run has its own folder, environment and output, as if Python had been started for it; what it is
spared is the import of torch and others, some seconds of a processor each.
"""

import gc
import importlib
import json
import multiprocessing
import os
import runpy
import select
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

_PATIENCE = 300  # s


class Preloaded:
    """Runs ``python -m MODULE ARGUMENTS``, one run after the other.

    Parameters
    ----------
    *modules : imported once, for one thread of BLAS. Those that read the environment when they
        are imported, as dask does, are to be left out if a run is to see another environment.
    """

    def __init__(self, *modules: str):
        self.modules, self.process = modules, None

    def run(
        self,
        module: str,
        *arguments: object,
        folder: Path | str = ".",
        environment: Mapping[str, str] | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Exit status and output of a run."""
        command = [module, *map(str, arguments)]
        with tempfile.NamedTemporaryFile("r") as output, tempfile.NamedTemporaryFile("r") as errors:
            run = {
                "folder": str(Path(folder).absolute()),
                "command": command,
                "environment": dict(os.environ if environment is None else environment),
                "output": [output.name, errors.name],
            }
            status = self._ask(json.dumps(run))
            if status is None:
                raise subprocess.TimeoutExpired(command, _PATIENCE, output.read(), errors.read())
            return subprocess.CompletedProcess(command, status, output.read(), errors.read())

    def _ask(self, line: str) -> int | None:
        """Exit status; None, and no process is left, if it takes too long."""
        if self.process is None:
            self.process = subprocess.Popen(
                [sys.executable, __file__, *self.modules],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                start_new_session=True,
                env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
            )
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        if not select.select([self.process.stdout], [], [], _PATIENCE)[0]:
            self.close()
            return None
        return int(self.process.stdout.readline())

    def close(self) -> None:
        """End the process and all that it started."""
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.communicate()
            self.process = None


def main() -> None:
    for name in sys.argv[1:]:
        importlib.import_module(name)
    gc.freeze()  # else a fork copies what it only counts references to
    for line in sys.stdin:
        process = multiprocessing.get_context("fork").Process(target=_run, args=[json.loads(line)])
        process.start()
        process.join()
        print(process.exitcode, flush=True)


def _run(run: dict) -> None:
    outputs = [os.open(name, os.O_WRONLY | os.O_APPEND) for name in run["output"]]
    streams = [os.open(os.devnull, os.O_RDONLY), *outputs]
    become(run["command"], run["folder"], run["environment"], streams)


def become(
    command: Sequence[str], folder: str, environment: Mapping[str, str], streams: Sequence[int]
) -> None:
    """Do in this process, a fork, what ``python -m COMMAND`` does in a process of its own.

    Parameters
    ----------
    command : module and arguments
    folder, environment : of the process
    streams : descriptors for standard input, output and errors
    """
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.path[:1] = [folder, *filter(None, environment.get("PYTHONPATH", "").split(os.pathsep))]
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    module, *sys.argv[1:] = command
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
