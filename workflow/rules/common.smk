import csv
import json
import os
import platform
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
    place = Path("results")
    while not place.exists():
        place = place.absolute().parent
    if not os.access(place, os.W_OK):
        raise WorkflowError(f"{place.absolute()}: not writable; results go there")


OWNER = Path(".snakemake", "owner.json")


def record_owner():
    """Say which process holds Snakemake's lock of this folder."""
    started = psutil.Process().create_time()
    OWNER.write_text(json.dumps({"host": platform.node(), "pid": os.getpid(), "started": started}))


def remove_stale_lock():
    """Remove the lock that a killed Snakemake left, if its process was of this host and is gone."""
    try:
        owner = json.loads(OWNER.read_text())
        if owner["host"] != platform.node():
            return
        if psutil.Process(owner["pid"]).create_time() == owner["started"]:
            return
    except (FileNotFoundError, ValueError):
        return
    except psutil.NoSuchProcess:
        pass
    for lock in Path(".snakemake", "locks").glob("*.lock"):
        lock.unlink(missing_ok=True)


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
remove_stale_lock()
