"""Jobs of a tested workflow, in forks of a process that has imported what they import.

Most of a small job's time is the import of torch, pandas and others, which tests need not repeat in
each of hundreds of jobs: ``python -m MODULE`` in a rule's shell command asks this server to run the
module, with the job's folder, environment and output. Tests that kill processes, and the one on
Slurm, start Python as users do.
"""

import gc
import importlib
import json
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

sys.path.insert(1, str(Path(__file__).parents[1]))

from forked import become

MODULES = ("dask.array", "matplotlib.pyplot", "numba", "pandas", "PIL.Image", "pydantic",
           "scipy.linalg", "seaborn", "sklearn.manifold", "threadpoolctl", "torch",
           "xarray", "zarr")  # fmt: skip
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
    """Start a server that ends with this process; a program that stands for Python and asks it."""
    python, address = folder / "python", str(folder / "socket")
    python.write_text(ASK.format(python=sys.executable, address=address))
    python.chmod(0o755)
    server = subprocess.Popen([sys.executable, __file__, address], stdout=subprocess.PIPE)
    assert server.stdout.readline() == b"ready\n"
    return python


def main() -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(sys.argv[1])
        listener.listen()
        for name in MODULES:
            importlib.import_module(name)
        gc.freeze()  # else a fork copies what it only counts references to
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # what has ended is forgotten
        parent = os.getppid()
        listener.settimeout(5)
        print("ready", flush=True)
        while os.getppid() == parent:
            try:
                asking, _ = listener.accept()
            except TimeoutError:
                continue
            if os.fork() == 0:
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                listener.close()
                answer(asking)
                os._exit(0)
            asking.close()


def answer(asking: socket.socket) -> None:
    """Run a job in a process of its own, and say how it ended."""
    asking.settimeout(None)
    _, streams, *_ = socket.recv_fds(asking, 1, 3)
    with asking.makefile("rb") as text:
        job = json.loads(text.read())
    process = multiprocessing.get_context("fork").Process(target=run, args=(job, streams))
    process.start()
    process.join()
    asking.sendall(str(process.exitcode).encode())


def run(job: dict, streams: list[int]) -> None:
    """Be the job; it ends without Python's own end, which takes longer than many a job."""
    limit_threads(int(job["environment"].get("OMP_NUM_THREADS", 0)))
    become(job["command"], job["folder"], job["environment"], streams)


def limit_threads(number: int) -> None:
    """As libraries do that read the environment when they are imported."""
    if number:
        import threadpoolctl
        import torch

        threadpoolctl.threadpool_limits(number)
        torch.set_num_threads(number)


if __name__ == "__main__":
    main()
