import atexit
import csv
import json
import os
import platform
import shutil
import sys
from pathlib import Path

import psutil
from snakemake.exceptions import WorkflowError
from snakemake.utils import validate

REPOSITORY = Path(workflow.current_basedir.get_path_or_uri(secret_free=True)).parents[1]
SOURCE = str(REPOSITORY / "src")

# Jobs use the library of this repository and the Python that runs Snakemake, wherever Snakemake
# was started from; with --sdm conda, the environment of the job comes first.
sys.path.insert(0, SOURCE)
os.environ.update(
    PYTHONPATH=os.pathsep.join([SOURCE, os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep),
    PATH=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]),
)

from hyperribbon.config import canonical_json, parse_study
from hyperribbon.devices import count_gpus
from hyperribbon.errors import ConfigError

try:
    STUDY = parse_study(config)
except ConfigError as error:
    raise WorkflowError(str(error)) from None
config.update(STUDY.model_dump(mode="json"))
# The model has filled in the defaults; here those of every network would be mixed.
validate(config, "../schemas/config.schema.yaml", set_default=False)

RESULTS = f"results/{STUDY.study}"
REPORT = f"{RESULTS}/report.html"
CONFIGURATIONS = {c.id: c for c in STUDY.configurations()}
SPLITS = ["train", "test"]
PREDICTIONS = [f"{RESULTS}/predictions/{id}.zarr" for id in CONFIGURATIONS]


wildcard_constraints:
    configuration="|".join(CONFIGURATIONS),
    split="|".join(SPLITS),


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


def remove_finished_work():
    """Remove the work folders of trainings that are published and were used."""
    for id in CONFIGURATIONS:
        work = Path(RESULTS, "work", id)
        if work.exists() and Path(RESULTS, "predictions", f"{id}.zarr").exists():
            (work / "job.json").unlink(missing_ok=True)  # first: without it the rest is void
            shutil.rmtree(work, ignore_errors=True)


def gpus_per_training():
    """1 if trainings use a GPU. The profile limits how many run at once to the devices present."""
    device = STUDY.training.device
    return int(device == "cuda" or (device == "auto" and count_gpus() > 0))


def show_summary():
    """Print what was found and what to open."""
    summary = Path(RESULTS, "tables", "summary.csv")
    if not summary.exists():
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
