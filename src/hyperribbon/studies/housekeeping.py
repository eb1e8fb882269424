"""What the workflow sees to before and after a run, in the folder where it runs.

Before: the results can be written, and a killed Snakemake left no locks. After: work that takes
space of its own is removed, and what was found is printed.
"""

from __future__ import annotations

import atexit
import csv
import json
import os
import platform
import shutil
from collections.abc import Iterable
from pathlib import Path

import psutil

from hyperribbon.errors import StoreError

SNAKEMAKE = Path(".snakemake")


def check_writable(results: str | Path) -> None:
    """Check that results can be written.

    Raises
    ------
    StoreError
        If there is a file where the folder of the results goes, or it may not be written.
    """
    place = Path(results).absolute()
    while not place.exists():
        place = place.parent
    if not place.is_dir():
        raise StoreError(f"{place}: a file, where the folder of the results goes")
    if not os.access(place, os.W_OK):
        raise StoreError(f"{place}: not writable; results go there")


def remove_stale_locks(snakemake: Path = SNAKEMAKE) -> None:
    """Remove the locks that a killed Snakemake left.

    Every Snakemake that reads the Snakefile leaves its name while it lives (`leave_name`). Locks
    are stale only if all whose names are there ran on this host and are gone.
    """
    owners = list((snakemake / "owners").glob("*.json"))
    for owner in owners:
        try:
            host, pid, started = json.loads(owner.read_text())
            if host != platform.node() or abs(psutil.Process(pid).create_time() - started) < 2:
                return
        except psutil.NoSuchProcess:
            continue
        except (OSError, ValueError, TypeError, psutil.Error):
            return
    if owners:
        for stale in [*(snakemake / "locks").glob("*.lock"), *owners]:
            stale.unlink(missing_ok=True)


def leave_name(snakemake: Path = SNAKEMAKE) -> None:
    """Say which process is at work in this folder, until it ends."""
    name = snakemake / "owners" / f"{platform.node()}-{os.getpid()}.json"
    started = psutil.Process().create_time()
    try:
        name.parent.mkdir(parents=True, exist_ok=True)
        name.write_text(json.dumps([platform.node(), os.getpid(), started]))
    except OSError:
        return  # read-only: nothing will run here, nor lock
    atexit.register(name.unlink, missing_ok=True)


def remove_copied_work(results: str | Path, configurations: Iterable[str]) -> None:
    """Remove the work of published trainings where it takes space of its own.

    Usually it takes none: published stores are hard links to it, which some file systems lack.

    Parameters
    ----------
    results : folder of a study
    configurations : ids
    """
    for id in configurations:
        if not Path(results, "predictions", f"{id}.json").exists():
            continue
        for work in Path(results, "work", "train").glob(f"{id}-*"):
            chunks = [path for path in work.glob("seed-*.zarr/*/c/**/*") if path.is_file()]
            if all(chunk.stat().st_nlink == 1 for chunk in chunks):
                shutil.rmtree(work, ignore_errors=True)


def found(results: str | Path) -> str:
    """What a study found and what to open, in lines for a terminal; empty before its end.

    Parameters
    ----------
    results : folder of a study, with ``tables/summary.csv`` if it has models
    """
    summary, report = Path(results, "tables", "summary.csv"), Path(results, "report.html")
    lines, pages = [], [str(report)] if report.exists() else []
    if summary.exists():
        lines.append(f"Study {Path(results).name}")
        with summary.open(newline="") as rows:
            for row in csv.DictReader(rows):
                note = f"  ({row['note']})" if row["note"] else ""
                lines.append(f"  {row['quantity']:<44} {row['value']}{note}")
        lines.append("")
        pages += [f"{results}/explorer.html"] * bool(pages)
    if pages:
        lines.append(f"Open {' and '.join(pages)}")
    return "\n".join(lines)
