import os
import sys
from pathlib import Path

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


def gpus_per_training():
    """1 if trainings use a GPU. The profile limits how many run at once to the devices present."""
    device = STUDY.training.device
    return int(device == "cuda" or (device == "auto" and count_gpus() > 0))
