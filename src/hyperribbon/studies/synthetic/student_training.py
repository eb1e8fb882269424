"""Students that learn the labels of a teacher until they interpolate (thesis 4.7.1, Fig. 4.1).

One of them, with the first seed, the first teacher and the largest width up to `ANALYSED`, has the
spectra that chapter 4 compares computed after training. All seeds with that teacher and the largest
width whose Fisher matrix can be formed are reduced to its stiff directions.
"""

from __future__ import annotations

from functools import partial
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from hyperribbon.config import AdamConfig
from hyperribbon.config.data import decay_name
from hyperribbon.curvature import (
    Fisher,
    Problem,
    WholeEigenpairs,
    correlation_eigenvalues,
    reduced_models,
)
from hyperribbon.curvature.sloppiness import critical_number, stiff_fraction
from hyperribbon.curvature.spectrum import DENSE
from hyperribbon.curvature.survey import padded, survey
from hyperribbon.curvature.tables import (
    SLOPPINESS_COLUMNS,
    SPECTRUM_COLUMNS,
    named_spectra,
    sloppiness_row,
    thinned,
)
from hyperribbon.data.sloppy import load
from hyperribbon.networks.fully_connected import FullyConnected
from hyperribbon.runtime.cached_pieces import keep
from hyperribbon.runtime.work import remove_superseded, work_folder
from hyperribbon.storage.digest import digest
from hyperribbon.storage.locks import locked
from hyperribbon.storage.provenance import versions
from hyperribbon.studies.synthetic.config import StudentsConfig
from hyperribbon.training.parallel import set_up
from hyperribbon.training.stacked import StackedFullyConnected, predict_stacked
from hyperribbon.training.stacked_loop import train_stacked

ANALYSED = 200  # most hidden units of the student whose spectra are computed
SAMPLES = 300  # of the spectra: more than inputs, few enough for complete spectra in seconds
EIGENVALUES = 100  # of the Hessian; for isotropic inputs, spectra are flat beyond these
FRACTIONS = np.geomspace(0.01, 1, 25)[:-1].tolist()  # of the weights, for reduced students
ERRORS = ("train_error", "test_error")
OF_REDUCTION = ["student_width", "seed", "parameters", "fraction", "kept", *ERRORS]
OF_CRITICAL = ["student_width", "seed", "parameters", "test_error"]
OF_CRITICAL += ["critical", "critical_fraction", "stiff_fraction"]


def train_students(
    config: StudentsConfig, decay: float, work: str | Path, *, code: str = ""
) -> dict[str, pd.DataFrame]:
    """Train all students on the data of one decay, with one thread.

    Students of the same width train as a stack, with the same inputs and their teachers' labels.

    Parameters
    ----------
    config : configuration of students and teachers
    decay : c of the inputs
    work : folder of work in progress, which keeps finished stacks
    code : hash of the code; work of other code is not continued

    Returns
    -------
    dict of DataFrame

    - ``students``, one row per student: teacher_width, student_width, seed, final train_error and
      test_error on all samples, and epochs trained. Errors are NaN if the loss was not finite.
    - ``student_spectra``, one row per eigenvalue, thinned, of the analysed student: student_width,
      matrix, part, index, eigenvalue. Empty if it diverged.
    - ``student_sloppiness``, one row per spectrum, as in
      `hyperribbon.curvature.tables.sloppiness_row`.
    - ``student_reduction``, one row per reduced student: student_width, seed, parameters, fraction
      and number of eigenvectors kept, train_error on the samples of the matrix, and test_error.
    - ``student_critical``, one row per student that was reduced: the fewest eigenvectors that
      predict about as well as all, and the stiff fraction of the inputs.
    """
    set_up()
    described = {
        "students": config.model_dump(mode="json", exclude={"decays"}),
        "decay": decay,
        "code_version": code,
        "versions": versions("torch", "numpy"),
    }
    folder = work_folder(work, f"students-{decay_name(decay)}", digest(described))
    teachers = {
        width: load(
            features=config.features,
            decay=decay,
            classes=config.classes,
            teacher_width=width,
            train_size=config.train_size,
            test_size=config.test_size,
            seed=config.data_seed,
        )
        for width in config.teacher_widths
    }
    rows: list[tuple] = []
    found: dict[int, dict[str, np.ndarray]] = {}
    with locked(folder):
        remove_superseded(folder)
        for width in config.student_widths:
            found[width] = keep(folder / str(width), partial(_trained, config, width, teachers))
            kinds = product(config.teacher_widths, range(config.seeds))
            for k, (teacher, seed) in enumerate(kinds):
                errors = [found[width][name][k] for name in ERRORS]
                rows.append((teacher, width, seed, *errors, config.epochs))
    columns = ["teacher_width", "student_width", "seed", *ERRORS, "epochs"]
    analysed, reduced = _analysed(config), _reduced(config)
    spectra, sloppiness = _spectra(analysed, found[analysed])
    inputs = np.asarray(next(iter(teachers.values()))[0].images)
    of_reduced = {} if reduced is None else found[reduced]
    models, critical = _reduction(reduced, of_reduced, inputs)
    return {
        "students": pd.DataFrame(rows, columns=columns),
        "student_spectra": spectra,
        "student_sloppiness": sloppiness,
        "student_reduction": models,
        "student_critical": critical,
    }


def _analysed(config: StudentsConfig) -> int:
    """Width of the student whose spectra are computed."""
    widths = config.student_widths
    return max((w for w in widths if w <= ANALYSED), default=min(widths))


def _reduced(config: StudentsConfig) -> int | None:
    """Width of the students that are reduced, if any are small enough."""
    d, c = config.features, config.classes
    few = (w for w in config.student_widths if w * (d + 1) + c * (w + 1) <= DENSE)
    return max(few, default=None)


def _trained(config: StudentsConfig, width: int, teachers: dict) -> dict[str, np.ndarray]:
    """Errors (S,) of students of one width, teachers slowest; for some, spectra and reductions."""
    seeds = [seed for _, seed in product(teachers, range(config.seeds))]
    labels = {
        split: np.repeat([parts[k].labels for parts in teachers.values()], config.seeds, axis=0)
        for k, split in enumerate(("train", "test"))
    }
    train, test = next(iter(teachers.values()))  # all share the inputs
    inputs = {
        split: torch.from_numpy(np.asarray(part.images))
        for split, part in (("train", train), ("test", test))
    }
    students = StackedFullyConnected.from_seeds(
        seeds, (config.features,), config.classes, widths=(width,), batchnorm=False
    )
    optimiser = AdamConfig(
        algorithm="adam",
        learning_rate=config.learning_rate,
        final_learning_rate=config.final_learning_rate,
    )
    diverged = train_stacked(
        students,
        optimiser,
        inputs["train"],
        torch.from_numpy(labels["train"]),
        seeds=seeds,
        epochs=config.epochs,
        batch_size=config.batch_size,
        checkpoints=[],
        progress_bar=f"students of width {width}",
    )
    found = {}
    for split, x in inputs.items():
        wrong = (predict_stacked(students, x).numpy().argmax(axis=2) != labels[split]).mean(axis=1)
        found[f"{split}_error"] = np.where(diverged < 0, wrong, np.nan)
    weights = students.state_dicts()

    def student(k: int, split: str, count: int | None = None) -> Problem:
        """Student k with the first ``count`` samples of a split, or all."""
        network = FullyConnected((config.features,), config.classes, (width,), batchnorm=False)
        network.load_state_dict(weights[k])
        return Problem(network.double().eval(), inputs[split][:count], labels[split][k, :count])

    if width == _analysed(config) and diverged[0] < 0:
        now = survey(student(0, "train", SAMPLES), EIGENVALUES)
        about = {"layers": np.array(now.layers), "partial": np.array(sorted(now.partial))}
        found |= {**about, **now.spectra}
    if width == _reduced(config):
        ended = [k for k in range(config.seeds) if diverged[k] < 0]
        reduced = []
        for k in ended:
            pairs = WholeEigenpairs(Fisher(student(k, "train", SAMPLES)))
            reduced.append(reduced_models(pairs, student(k, "test"), FRACTIONS))
        if reduced:
            found["reduced_seed"] = np.array(ended)
            found["reduced_kept"] = padded([models.kept for models in reduced])
            for k, name in enumerate(ERRORS):
                found[f"reduced_{name}"] = padded([models.errors[:, k] for models in reduced])
    return found


def _spectra(width: int, found: dict[str, np.ndarray]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Thinned spectra, and how sloppy they are."""
    spectra = {
        name: values
        for name, values in found.items()
        if name not in {*ERRORS, "layers", "partial"} and not name.startswith("reduced_")
    }
    eigenvalues, slopes = [], []
    for about, values in named_spectra(spectra, list(found.get("layers", []))):
        eigenvalues.append(thinned(values).assign(**about))
        row = sloppiness_row(values, about["matrix"] not in found["partial"])
        slopes.append({**about, **row})
    table = pd.concat(eigenvalues) if eigenvalues else pd.DataFrame(columns=SPECTRUM_COLUMNS)
    tables = table[SPECTRUM_COLUMNS], pd.DataFrame(slopes, columns=SLOPPINESS_COLUMNS)
    for found_table in tables:
        found_table.insert(0, "student_width", width)
    return tables


def _reduction(
    width: int | None, found: dict[str, np.ndarray], inputs: np.ndarray
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Reduced students, and how many eigenvectors each student needs."""
    models, critical = [], []
    stiff = stiff_fraction(correlation_eigenvalues(inputs), inputs.shape[1])
    for k, seed in enumerate(found.get("reduced_seed", [])):
        kept = found["reduced_kept"][k]
        kept = kept[np.isfinite(kept)].astype(int)
        errors = {name: found[f"reduced_{name}"][k, : len(kept)] for name in ERRORS}
        who = {"student_width": width, "seed": seed, "parameters": kept[-1]}
        fraction = kept / kept[-1]
        models.append(pd.DataFrame({"fraction": fraction, "kept": kept, **errors}).assign(**who))
        enough = critical_number(kept, errors["test_error"])
        critical.append({
            **who, "test_error": errors["test_error"][-1], "critical": enough,
            "critical_fraction": enough / kept[-1], "stiff_fraction": stiff,
        })  # fmt: skip
    table = pd.concat(models) if models else pd.DataFrame(columns=OF_REDUCTION)
    return table[OF_REDUCTION], pd.DataFrame(critical, columns=OF_CRITICAL)
