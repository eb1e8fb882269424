import json
import os
import re
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.utils import update_config

REPOSITORY = Path(workflow.current_basedir.get_path_or_uri(secret_free=True)).parents[1]
SOURCE = REPOSITORY / "src"

# Jobs use the Python that runs Snakemake and, in a repository, its library, wherever Snakemake was
# started; with --sdm conda, the environment of the job comes first.
if SOURCE.is_dir():
    sys.path.insert(0, str(SOURCE))
    os.environ.update(
        PYTHONPATH=os.pathsep.join(filter(None, [str(SOURCE), os.environ.get("PYTHONPATH")]))
    )
os.environ.update(
    PATH=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
)

from hyperribbon.config import decay_name, read_overrides, read_study_file
from hyperribbon.config.plugins import code_of_network, hand_to_jobs, pieces
from hyperribbon.errors import ConfigError, StoreError
from hyperribbon.recording.external import find_recorded
from hyperribbon.runtime.gpus import count_gpus
from hyperribbon.storage.digest import canonical_json, digest
from hyperribbon.storage.manifest import file_sha256, manifest_path
from hyperribbon.studies.code_version import code_version
from hyperribbon.studies.keys import Keys, recorded_keys, remade_rules
from hyperribbon.studies.part import SPLITS
from hyperribbon.studies.parts import (
    captions,
    code_of_figures,
    figure_module,
    figure_named,
    figures_of,
    parts_of,
    step_module,
    step_named,
)
from hyperribbon.studies.report.chapters import OVERVIEW, chapters
from hyperribbon.studies.report.opening import opening
from hyperribbon.studies.study import parse_study

# Only the paths of inputs and outputs would get the prefix, not those in parameters.
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

# A study given by --configfile is complete; the default study is not merged into it.
if OWN_FILE:

    configfile: DEFAULT_STUDY


update_config(config, OVERRIDES)

try:
    STUDY = parse_study(config)
    # Only once, not in the Snakemake of every job, because it checks every file.
    RECORDED_STORES = find_recorded(
        STUDY.external, STUDY.trainings(), check=workflow.is_main_process
    )
except (ConfigError, StoreError) as error:
    raise WorkflowError(str(error)) from None
config.update(STUDY.model_dump(mode="json"))

RESULTS = f"results/{STUDY.study}"
REPORT = f"{RESULTS}/report.html"
REPORTING = any(word.startswith("--report") for word in sys.argv)
CONFIGURATIONS = {c.id: c for c in STUDY.configurations()}
# Manifests of stores trained here, and of stores recorded elsewhere.
TRAINED = [f"{RESULTS}/predictions/{id}.json" for id in CONFIGURATIONS]
EXTERNAL = [str(manifest_path(store)) for store in RECORDED_STORES]
MODELS = bool(TRAINED or EXTERNAL)  # a study of other parts has none

# Every job loads the study's plugins; what they register decides the keys of the rules that use it.
hand_to_jobs(STUDY.plugins)

# An environment variable, not a parameter, because results are the same on any cluster.
if STUDY.dask.scheduler:
    os.environ.update(DASK_SCHEDULER_ADDRESS=STUDY.dask.scheduler)


wildcard_constraints:
    configuration="|".join(CONFIGURATIONS),
    split="|".join(SPLITS),


def gpus_per_job():
    """1 if networks run on a GPU; the profile limits concurrent jobs to the devices present."""
    device = STUDY.training.device
    return int(device == "cuda" or (device == "auto" and count_gpus() > 0))


def seeds_at_once():
    return min(STUDY.training.parallel_seeds, STUDY.training.seeds)


def training_mb():
    """Memory of a job: for each seed, the samples as stored and as networks see them."""
    stored_mb, seen_mb = (size // 10**6 for size in STUDY.data.memory_bytes)
    processes = seeds_at_once()
    waiting = stored_mb if processes > 1 else 0  # in the process that starts the others
    return 2000 + waiting + processes * (2000 + stored_mb + seen_mb)


def threads_of_analysis(most):
    """Threads of a job. Those of a small study are done sooner two at once, with a thread each."""
    small = len(STUDY.trainings()) + len(RECORDED_STORES) <= 50
    return 1 if small else most


# In what order jobs run that could: first what leads to the first picture, then to the explorer.
FIRST, SECOND = 2, 1

RECORD = f"{RESULTS}/keys.json"  # written when the study is complete
KEYS = Keys(
    recorded_keys(RECORD),
    remade_rules(RESULTS, [id for id, c in CONFIGURATIONS.items() if c.start]),
)
STORES = []  # targets, so that a deleted store is regenerated
TABLES = {}  # paths, by the rule that writes them
PAGES = {
    step.name: [f"{RESULTS}/{page.name}" for page in part.pages if page.step == step.name]
    for part in parts_of(STUDY)
    for step in part.steps
    if step.when(STUDY)
}
PAGES = {step: paths for step, paths in PAGES.items() if paths}
PAGES_BESIDE = {
    page.name: page.link
    for part in parts_of(STUDY)
    for page in part.pages
    if page.link and page.step in PAGES
}
FIGURES = figures_of(STUDY)  # categories by name, in the order of the report
CHAPTERS = chapters(FIGURES.values())


def network_code(configuration):
    """What its architecture counts as, which counts only for its own trainings."""
    return code_of_network(STUDY.plugins, configuration.network.architecture)


def of_piece(found, name, wildcard):
    """A parameter of the piece to which a job belongs."""
    return lambda wildcards: found[wildcards[wildcard]][name]


def settled(step, files):
    """Inputs from a rule; their modification times count only if the rule is not settled."""
    return ancient(files) if KEYS.is_settled(step) else files


def both_files(path):
    """A store and its manifest, which is written last."""
    return [f"{path}.zarr", f"{path}.json"]


def stores(kind):
    """Outputs with one store per split, each with its manifest, written last."""
    path = f"{RESULTS}/{kind}/{{split}}"
    return {"store": directory(f"{path}.zarr"), "manifest": f"{path}.json"}


def caption(path):
    """Where `gather_report` writes a caption of the registry."""
    return os.path.abspath(f"{RESULTS}/captions/{path}.rst")


LONG = 100_000  # bytes; the report leaves a longer table to its file


def tables(step):
    """Outputs of a rule that writes tables. The report has all but coordinates and long ones."""
    names = step_named(step)[1].tables
    TABLES[step] = [f"{RESULTS}/tables/{name}.csv" for name in names]
    return [
        (
            path
            if name.endswith("_embedding") or is_long(path)
            else report(
                path,
                caption=caption(f"tables/{name}"),
                category=CHAPTERS["Tables"],
                labels={"table": name.replace("_", " ")},
            )
        )
        for name, path in zip(names, TABLES[step])
    ]


def is_long(path):
    return REPORTING and Path(path).exists() and Path(path).stat().st_size > LONG


def page(step):
    """Output of a rule that writes a page; one too large for the report is linked from it."""
    [found] = [page for page in step_named(step)[0].pages if page.step == step]
    path = f"{RESULTS}/{found.name}"
    if not found.caption:
        return path
    return report(
        path,
        caption=caption(f"pages/{found.name}"),
        category=CHAPTERS[OVERVIEW],
        labels={"page": found.label},
    )


def figure_in_report(figure):
    """Output of `draw`. Of two figures that differ in the split, the report shows a switch."""
    declared = figure_named(figure)
    split = {"split": figure.rpartition("_")[2]} if declared.splits else {}
    return report(
        f"{RESULTS}/figures/{figure}.png",
        caption=caption(f"figures/{declared.name}"),
        category=CHAPTERS[FIGURES[figure]],
        labels={"figure": declared.name.replace("_", " "), **split},
    )


def start_of(wildcards):
    """Manifest of the trainings from which a configuration starts, if there are any."""
    start = CONFIGURATIONS[wildcards.configuration].start
    if start is None:
        return []
    return weights_of(start.id)


def weights_of(id):
    """Manifest of trainings whose weights are read."""
    return settled(f"train {id}", f"{RESULTS}/predictions/{id}.json")


def both(rule, kind):
    """Manifests of a kind of store, first for train, then for test."""
    return settled(rule, [f"{RESULTS}/{kind}/{split}.json" for split in SPLITS])
