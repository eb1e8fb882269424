# Before and after a run: is there a place for the results, is anyone at work, what was found.
import atexit
import csv
import json
import os
import platform
import shutil
from pathlib import Path

import psutil


def check_writable():
    """Refuse a place for results that cannot be written, before any job starts."""
    place = Path(RESULTS).absolute()
    while not place.exists():
        place = place.parent
    if not place.is_dir():
        raise WorkflowError(f"{place}: a file, where the folder of the results goes")
    if not os.access(place, os.W_OK):
        raise WorkflowError(f"{place}: not writable; results go there")


OWNERS = Path(".snakemake", "owners")


def remove_stale_locks():
    """Remove the locks that a killed Snakemake left in this folder.

    Every Snakemake that reads this file leaves its name while it lives. Only if all whose names
    are here were of this host and are gone, none can be at work, and locks are what they left.
    """
    owners = list(OWNERS.glob("*.json"))
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
        for stale in [*Path(".snakemake", "locks").glob("*.lock"), *owners]:
            stale.unlink(missing_ok=True)


def leave_name():
    """Say which process is at work in this folder, until it ends."""
    name = OWNERS / f"{platform.node()}-{os.getpid()}.json"
    started = psutil.Process().create_time()
    try:
        OWNERS.mkdir(parents=True, exist_ok=True)
        name.write_text(json.dumps([platform.node(), os.getpid(), started]))
    except OSError:
        return  # read-only: nothing will run here, nor lock
    atexit.register(name.unlink, missing_ok=True)


def remove_copied_work():
    """Remove the work of published trainings, where it takes space of its own.

    Usually it takes none: what is published are hard links, which some file systems do not have.
    """
    for id in CONFIGURATIONS:
        if not Path(RESULTS, "predictions", f"{id}.json").exists():
            continue
        for work in Path(RESULTS, "work", "train").glob(f"{id}-*"):
            chunks = [path for path in work.glob("seed-*.zarr/*/c/**/*") if path.is_file()]
            if all(chunk.stat().st_nlink == 1 for chunk in chunks):
                shutil.rmtree(work, ignore_errors=True)


def show_summary():
    """Print what was found and what to open."""
    summary = Path(RESULTS, "tables", "summary.csv")
    if not MODELS and Path(REPORT).exists():
        print(f"\nOpen {REPORT}")
    if not MODELS or not summary.exists():
        return
    print(f"\nStudy {STUDY.study}")
    with open(summary, newline="") as lines:
        for row in csv.DictReader(lines):
            note = f"  ({row['note']})" if row["note"] else ""
            print(f"  {row['quantity']:<44} {row['value']}{note}")
    if Path(REPORT).exists():
        print(f"\nOpen {REPORT} and {RESULTS}/explorer.html")


check_writable()
remove_stale_locks()
leave_name()
