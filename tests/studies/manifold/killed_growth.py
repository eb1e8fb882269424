"""Kills a growing matrix at random tiles, again and again: it comes out whole.

Each attempt is a process of its own, forked from one that has compiled the kernel already.
"""

import hashlib
import os
import random
import shutil
import signal
import sys
from pathlib import Path

import numpy as np
import zarr

from hyperribbon.pairwise import pairwise_distance
from hyperribbon.studies.manifold import incremental_distance as growth

rng = np.random.default_rng(0)
TRAININGS = [rng.dirichlet(np.ones(4), size=(n, 20)).astype("f4") for n in (30, 9, 26, 12)]
DIGESTS = [hashlib.sha256(P.tobytes()).hexdigest() for P in TRAININGS]
growth._LEAST, growth._MOST = 4, 8


def main(work: Path) -> None:
    random.seed(1)
    everything = list(range(len(TRAININGS)))
    expected = pairwise_distance(np.concatenate(TRAININGS), floor=1e-30)
    killed = 0
    for start in (None, [0, 2]):  # from nothing, and from an earlier one
        shutil.rmtree(work)
        if start is not None:
            assert attempt(work, start, None) == 0
        while True:
            status = attempt(work, everything, random.randrange(1, 14))
            if status == 0:
                break
            assert os.WIFSIGNALED(status), status
            killed += 1
        (folder,) = (path for path in work.iterdir() if path.is_dir())
        # Read with plain file operations: zarr's threads would not survive the next fork.
        assert attempt(work, everything, 1) == 0  # nothing is left to write
        assert child(lambda folder=folder: check(folder, expected)) == 0
    assert killed > 8, killed


def check(folder: Path, expected: np.ndarray) -> None:
    np.testing.assert_array_equal(zarr.open_array(folder / "distance", mode="r")[:], expected)


def attempt(work: Path, which: list[int], at: int | None) -> int:
    """Grow in a process that kills itself when it writes or links its tile number ``at``."""

    def grow() -> None:
        left = [at]

        def dying(method):
            def wrapped(*args):
                if left[0] is not None:
                    left[0] -= 1
                    if left[0] == 0:
                        os.kill(os.getpid(), signal.SIGKILL)
                method(*args)

            return wrapped

        # A tile and its mirror image are two files; zarr makes each appear by one rename.
        growth.Matrix.write = dying(growth.Matrix.write)
        growth.Matrix.link = dying(growth.Matrix.link)
        models, digests = [TRAININGS[k] for k in which], [DIGESTS[k] for k in which]
        growth.grow(work, models, digests, code="", floor=1e-30, threads=2)

    return child(grow)


def child(function) -> int:
    """Exit status of a forked process that runs a function."""
    pid = os.fork()
    if not pid:
        try:
            function()
        except BaseException as error:
            print(repr(error), file=sys.stderr)
            os._exit(1)
        os._exit(0)
    return os.waitpid(pid, 0)[1]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
