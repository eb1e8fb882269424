"""Jobs of a tested workflow, in forks of a process that has imported what they import.

Most of a small job's time is the import of torch, pandas and others and the compilation of loops,
which tests need not repeat in each of hundreds of jobs: ``python -m MODULE`` in a rule's shell
command asks this server to run the module, with the job's folder, environment and output. A job
whose library is another than the one imported here, for a test changed it, imports its own. Tests
that kill processes, and the one on Slurm, start Python as users do.
"""

import importlib
import json
import multiprocessing.spawn  # while sys.executable is Python
import os
import signal
import socket
import sys
import threading
from pathlib import Path

sys.path.insert(1, str(Path(__file__).parents[1]))

from forked import become

SOURCE = Path(__file__).parents[2] / "src"
MODULES = ("dask.array", "matplotlib.pyplot", "numba", "pandas", "PIL.Image", "pydantic",
           "scipy.linalg", "seaborn", "sklearn.manifold", "threadpoolctl", "torch",
           "torch._dynamo", "xarray", "zarr")  # fmt: skip
ASK = """#!{python} -IS
import json, os, socket, sys

if sys.argv[1:2] != ["-m"]:
    os.execv({python!r}, ["python", *sys.argv[1:]])
job = {{"folder": os.getcwd(), "command": sys.argv[2:], "environment": dict(os.environ)}}
with socket.socket(socket.AF_UNIX) as server:
    server.connect({address!r})
    socket.send_fds(server, [b"."], [0, 1, 2])
    server.sendall(json.dumps(job).encode())
    server.shutdown(socket.SHUT_WR)
    sys.exit(int(server.recv(16) or 1))
"""


def start(folder: Path) -> Path:
    """Fork a server that ends with this process; a program that stands for Python and asks it."""
    python, address = folder / "python", str(folder / "socket")
    python.write_text(ASK.format(python=sys.executable, address=address))
    python.chmod(0o755)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(address)
    listener.listen()
    parent = os.getpid()
    if os.fork() == 0:
        serve(listener, python, parent)
        os._exit(0)
    listener.close()
    return python


def serve(listener: socket.socket, python: Path, parent: int) -> None:
    """Answer until the parent is gone."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # what has ended is forgotten
    listener.settimeout(5)
    while os.getppid() == parent:
        try:
            asking, _ = listener.accept()
        except TimeoutError:
            continue
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            listener.close()
            answer(asking, python)
            os._exit(0)
        asking.close()


imported: dict[str, tuple[int, int]] = {}


def import_library() -> None:
    """Import all that jobs may import, and compile the loops that they share."""
    global imported
    imported = files_of(SOURCE)
    for name in (*MODULES, "compiled_loops", *modules_of_jobs()):
        importlib.import_module(name)
    import torch
    from threadpoolctl import threadpool_limits

    torch.set_num_threads(1)  # more would wait for each other, and for those of other jobs
    threadpool_limits(1)
    assert threading.active_count() == 1, "a fork would lack the other threads"


def modules_of_jobs() -> list[str]:
    """Modules of steps, figures and claims."""
    from hyperribbon.studies.parts import PARTS, figure_module, step_module

    names = []
    for part in PARTS:
        names += [step_module(step.name) for step in part.steps]
        names += [figure_module(name) for figure in part.figures for name in figure.drawn()]
        names += [part.module(name) for name in part.claims]
    return list(dict.fromkeys(names))


def files_of(source: Path) -> dict[str, tuple[int, int]]:
    """Sizes and times of the library's files, which a copy has too."""
    states = {
        path.relative_to(source).as_posix(): path.stat()
        for path in (source / "hyperribbon").rglob("*")
        if "__pycache__" not in path.parts and path.is_file()
    }
    return {name: (state.st_size, state.st_mtime_ns) for name, state in states.items()}


def forget_library() -> None:
    """As if nothing of it had been imported."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "hyperribbon"]:
        del sys.modules[name]


def answer(asking: socket.socket, python: Path) -> None:
    """Run a job in a process of its own, and say how it ended."""
    asking.settimeout(None)
    _, streams, *_ = socket.recv_fds(asking, 1, 3)
    with asking.makefile("rb") as text:
        job = json.loads(text.read())
    process = multiprocessing.get_context("fork").Process(target=run, args=(job, streams, python))
    process.start()
    process.join()
    asking.sendall(str(process.exitcode).encode())


def run(job: dict, streams: list[int], python: Path) -> None:
    """Be the job; it ends without Python's own end, which takes longer than many a job."""
    module = job["command"][0]
    source = job["environment"].get("PYTHONPATH", "").split(os.pathsep)[0]
    if source and files_of(Path(source)) == imported:
        if module != "snakemake":
            sys.modules.pop(module, None)  # it runs as __main__
    else:
        forget_library()
    sys.executable = str(python)
    become(job["command"], job["folder"], job["environment"], streams)
