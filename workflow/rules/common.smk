import json
import os
import re
import sys
from functools import cache, partial
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.io import get_flag_value, is_flagged
from snakemake.utils import update_config, validate

REPOSITORY = Path(workflow.current_basedir.get_path_or_uri(secret_free=True)).parents[1]
SOURCE = str(REPOSITORY / "src")

# Jobs use the library of this repository and the Python that runs Snakemake, wherever Snakemake
# was started from; with --sdm conda, the environment of the job comes first.
sys.path.insert(0, SOURCE)
os.environ.update(
    PYTHONPATH=os.pathsep.join([SOURCE, os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep),
    PATH=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]),
)

from hyperribbon.code_version import code_version
from hyperribbon.config import (
    canonical_json,
    decay_name,
    digest,
    parse_study,
    read_overrides,
    read_study_file,
)
from hyperribbon.devices import count_gpus
from hyperribbon.errors import ConfigError, StoreError
from hyperribbon.manifest import file_sha256, manifest_path, outdated
from hyperribbon.recording.external import find_recorded

# Of the paths in this workflow only those of inputs and outputs would get the prefix.
if workflow.modifier.modify_path("results/report.html") != "results/report.html":
    raise WorkflowError(
        "module: prefix: and replace_prefix: are not supported, for results go to results/<study>; "
        "expected a module without them (another `study:` is another folder)"
    )

DEFAULT_STUDY = "config/config.yaml"

# A module may be given its configuration instead of a file.
OWN_FILE = not workflow.overwrite_configfiles and not workflow.modifier.skip_configfile

try:
    for path in workflow.overwrite_configfiles or [DEFAULT_STUDY] * OWN_FILE:
        read_study_file(path)
    OVERRIDES = read_overrides(workflow.config_settings.config_args)
except ConfigError as error:
    raise WorkflowError(str(error)) from None

# A study given by --configfile stands alone; the default one is not merged into it.
if OWN_FILE:

    configfile: DEFAULT_STUDY


update_config(config, OVERRIDES)

try:
    STUDY = parse_study(config)
    # Once, and not again by the Snakemake of every job: it looks at every file.
    RECORDED_STORES = find_recorded(
        STUDY.external, STUDY.trainings(), check=workflow.is_main_process
    )
except (ConfigError, StoreError) as error:
    raise WorkflowError(str(error)) from None
config.update(STUDY.model_dump(mode="json"))
# The model has filled in the defaults; here those of every network would be mixed.
validate(config, "../schemas/config.schema.yaml", set_default=False)

RESULTS = f"results/{STUDY.study}"
REPORT = f"{RESULTS}/report.html"
CONFIGURATIONS = {c.id: c for c in STUDY.configurations()}
SPLITS = ["train", "test"]
# Manifests of the stores that are trained here, and of those that were recorded elsewhere.
TRAINED = [f"{RESULTS}/predictions/{id}.json" for id in CONFIGURATIONS]
EXTERNAL = [str(manifest_path(store)) for store in RECORDED_STORES]
MODELS = bool(TRAINED or EXTERNAL)  # a study of other parts alone has none

# For the jobs; no parameter of theirs, since results are the same on any cluster.
if STUDY.dask.scheduler:
    os.environ.update(DASK_SCHEDULER_ADDRESS=STUDY.dask.scheduler)


wildcard_constraints:
    configuration="|".join(CONFIGURATIONS),
    split="|".join(SPLITS),


def gpus_per_job():
    """1 if networks run on a GPU. The profile limits how many do at once to the devices present."""
    device = STUDY.training.device
    return int(device == "cuda" or (device == "auto" and count_gpus() > 0))


def seeds_at_once():
    return min(STUDY.training.parallel_seeds, STUDY.training.seeds)


def training_mb():
    """Memory of a job: of each seed, the samples as they are stored and as networks see them."""
    stored_mb, seen_mb = (size // 10**6 for size in STUDY.data.memory_bytes)
    processes = seeds_at_once()
    waiting = stored_mb if processes > 1 else 0  # in the process that started the others
    return 2000 + waiting + processes * (2000 + stored_mb + seen_mb)


def threads_of_analysis(most):
    """Threads of a job. Those of a small study are done sooner two at once, with a thread each."""
    small = len(STUDY.trainings()) + len(RECORDED_STORES) <= 50
    return 1 if small else most


# In what order jobs run that could: first what leads to the first picture, then to the explorer.
FIRST, SECOND = 2, 1

# What runs again is decided by parameters alone: each rule carries the version of its code, its
# settings, and a hash of the same of the rules before it. The times of files, which a touch, a copy
# or a checkout changes, count for nothing while all of this is as it was when the study was last
# complete; then what was deleted is made again without what follows, because it will be the same.

KEYS = {}  # by rule, hash of the parameters that decide its results
RECORD = f"{RESULTS}/keys.json"  # the keys with which the study was last complete
SETTLED = set()  # rules whose results are what they were then


def parameters(step, *upstream, modules=(), **settings):
    """Parameters of a rule that decide its results; ``upstream`` names the rules before it."""
    decisive = {
        "code": code_version(f"hyperribbon.steps.{step}", *modules),
        "upstream": digest([KEYS[name] for name in upstream])[:16],
        **settings,
    }
    remember(step, decisive, *upstream)
    return decisive


def remember(step, decisive, *upstream):
    """Note the key of a rule, and whether it is settled."""
    KEYS[step] = digest(decisive)[:16]
    as_before = RECORDED.get(step) == KEYS[step] and step not in REMADE
    if as_before and SETTLED.issuperset(upstream):
        SETTLED.add(step)


def each(step, pieces, upstream=None, **settings):
    """Parameters of a rule for each piece of its work, which counts alone.

    ``upstream`` is a function that names what comes before a piece, in KEYS; ``settings`` are
    functions of the piece.
    """
    before = {piece: upstream(piece) if upstream else [] for piece in pieces}
    found = {
        piece: parameters(
            step, *before[piece], **{name: value(piece) for name, value in settings.items()}
        )
        for piece in pieces
    }
    for piece in pieces:
        remember(f"{step} {piece}", found[piece], *before[piece])
    remember(step, found, *(name for names in before.values() for name in names))
    return found


def of_piece(found, name, wildcard):
    """A parameter of the piece that a job is of."""
    return lambda wildcards: found[wildcards[wildcard]][name]


def settled(step, files):
    """Inputs from a rule; their times count only if it is not settled."""
    return ancient(files) if step in SETTLED else files


def recorded_keys():
    try:
        return dict(json.loads(Path(RECORD).read_text()))
    except (OSError, ValueError, TypeError):
        return {}


def remade():
    """Rules whose stores are no longer those that others were computed from.

    So it is after a store was deleted and trained again on a GPU, which is not bit-equal.
    """
    rules = {"predictions": "train", "distance": "distance", "progress": "progress"}
    names, sha256_of = set(), cache(file_sha256)
    kinds = ["distance", "embedding", "progress", "trajectories", "curvature"]
    manifests = [path for kind in kinds for path in Path(RESULTS, kind).glob("*.json")]
    second = [id for id, configuration in CONFIGURATIONS.items() if configuration.start]
    manifests += [Path(RESULTS, "predictions", f"{id}.json") for id in second]
    for manifest in manifests:
        try:
            names.update(outdated(manifest, sha256_of))
        except (OSError, StoreError):
            pass  # `verify` names it
    starts = {f"train {name.split('/')[1]}" for name in names if name.startswith("predictions/")}
    return starts | {rules.get(name.split("/")[0]) for name in names}


RECORDED = recorded_keys()
REMADE = remade()


def stores(kind):
    """Outputs where each split has a store, and its manifest, written last."""
    path = f"{RESULTS}/{kind}/{{split}}"
    return {"store": directory(f"{path}.zarr"), "manifest": f"{path}.json"}


TABLES = {}  # paths, by the rule that writes them


def tables(step, *names):
    """Outputs of a rule that writes tables. The report has all but coordinates, as figures."""
    TABLES[step] = [f"{RESULTS}/tables/{name}.csv" for name in names]
    shown = partial(report, caption="../report/tables.rst", category="Tables")
    labels = ({"table": name.replace("_", " ")} for name in names)
    return [
        path if path.endswith("_embedding.csv") else shown(path, labels=label)
        for path, label in zip(TABLES[step], labels)
    ]


def start_of(wildcards):
    """Manifest of the trainings that a configuration starts from, if it does."""
    start = CONFIGURATIONS[wildcards.configuration].start
    if start is None:
        return []
    return weights_of(start.id)


def weights_of(id):
    """Manifest of trainings of which the weights are read."""
    return settled(WEIGHTS[id], f"{RESULTS}/predictions/{id}.json")


def both(rule, kind):
    """Manifests of a kind of store, of train and then of test."""
    return settled(rule, [f"{RESULTS}/{kind}/{split}.json" for split in SPLITS])


def caption_of(figure):
    name = figure.removesuffix("_train").removesuffix("_test")
    return f"../report/figures/{name}.rst"


def figure_in_report(figure):
    return report(
        f"{RESULTS}/figures/{figure}.png",
        caption=caption_of(figure),
        category=FIGURES[figure],
        labels={"figure": figure.replace("_", " ")},
    )


def check_captions():
    """Refuse a caption that is missing; Snakemake would do so only when all the work is done."""
    # Figures are not among the outputs of `draw` before they are drawn.
    captions = ["../report/study.rst", *map(caption_of, FIGURES)]
    captions = [workflow.current_basedir.join(path) for path in captions]
    for step in workflow.modifier.rules:
        shown = [path for path in step.output if is_flagged(path, "report")]
        captions += [get_flag_value(path, "report").caption for path in shown]
    for caption in captions:
        path = caption.get_path_or_uri(secret_free=True)
        if not os.path.exists(path):
            raise WorkflowError(f"{os.path.relpath(path)}: missing, a caption of the report")
