"""Students that learn the labels of a teacher until they interpolate (thesis 4.7.1, Fig. 4.1).

Of one of them, the spectra that chapter 4 compares are found after training: the first seed, of the
first teacher, and of the largest width up to `LOOKED_AT`. All seeds of that teacher, and of the
largest width whose Fisher matrix can be whole, are reduced to its stiff directions.
"""

from __future__ import annotations

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

LOOKED_AT = 200  # hidden units at most of the student whose spectra are found
SAMPLES = 300  # of which: more than the inputs, few enough for complete spectra in seconds
EIGENVALUES = 100  # of the Hessian; beyond as many, spectra are flat if inputs are isotropic
FRACTIONS = np.geomspace(0.01, 1, 25)[:-1]  # of the weights, to which students are reduced
ERRORS = ("train_error", "test_error")
OF_REDUCTION = ["student_width", "seed", "parameters", "fraction", "kept", *ERRORS]
OF_CRITICAL = ["student_width", "seed", "parameters", "test_error"]
OF_CRITICAL += ["critical", "critical_fraction", "stiff_fraction"]


def train_students(
    config: StudentsConfig, decay: float, work: str | Path, *, code: str = ""
) -> dict[str, pd.DataFrame]:
    """Train all students on the data of one decay, with one thread.

    Students of one width are a stack, whatever their teacher: inputs are the same, labels are not.

    Parameters
    ----------
    config : of students and teachers
    decay : c of the inputs
    work : folder of work in progress, in which stacks that are finished are kept
    code : hash of the code; work of another is not continued

    Returns
    -------
    dict of DataFrame

    - ``students``, one row a student: teacher_width, student_width, seed, train_error and
      test_error at the end, of all samples, and epochs trained. A loss that stopped being finite
      gives errors that are NaN.
    - ``student_spectra``, one row an eigenvalue, thinned out, of the student that is looked at:
      student_width, matrix, part, index, eigenvalue. None if it diverged.
    - ``student_sloppiness``, one row a spectrum, as of
      `hyperribbon.curvature.tables.sloppiness_row`.
    - ``student_reduction``, one row a reduced student: student_width, seed, parameters, fraction
      and number of eigenvectors kept, train_error of the samples they are of, and test_error.
    - ``student_critical``, one row a student that was reduced: the fewest eigenvectors that predict
      about as well, and the stiff part of the inputs.
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
    rows, found = [], {}
    with locked(folder):
        remove_superseded(folder)
        for width in config.student_widths:
            found[width] = keep(folder / str(width), lambda w=width: _trained(config, w, teachers))
            kinds = product(config.teacher_widths, range(config.seeds))
            for k, (teacher, seed) in enumerate(kinds):
                errors = [found[width][name][k] for name in ERRORS]
                rows.append((teacher, width, seed, *errors, config.epochs))
    columns = ["teacher_width", "student_width", "seed", *ERRORS, "epochs"]
    looked_at, reduced = _looked_at(config), _reduced(config)
    spectra, sloppiness = _spectra(looked_at, found[looked_at])
    inputs = next(iter(teachers.values()))[0].images
    models, critical = _reduction(reduced, found.get(reduced, {}), inputs)
    return {
        "students": pd.DataFrame(rows, columns=columns),
        "student_spectra": spectra,
        "student_sloppiness": sloppiness,
        "student_reduction": models,
        "student_critical": critical,
    }


def _looked_at(config: StudentsConfig) -> int:
    """Width of the student whose spectra are found."""
    widths = config.student_widths
    return max((w for w in widths if w <= LOOKED_AT), default=min(widths))


def _reduced(config: StudentsConfig) -> int | None:
    """Width of the students that are reduced."""
    d, c = config.features, config.classes
    few = (w for w in config.student_widths if w * (d + 1) + c * (w + 1) <= DENSE)
    return max(few, default=None)


def _trained(config: StudentsConfig, width: int, teachers: dict) -> dict[str, np.ndarray]:
    """Errors (S,) of students of one width, teachers slowest; spectra and reduced ones of some."""
    seeds = [seed for _, seed in product(teachers, range(config.seeds))]
    labels = {
        split: np.repeat([parts[k].labels for parts in teachers.values()], config.seeds, axis=0)
        for k, split in enumerate(("train", "test"))
    }
    train, test = next(iter(teachers.values()))  # the inputs of all
    inputs = {"train": torch.from_numpy(train.images), "test": torch.from_numpy(test.images)}
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
        """One of them, on the first samples."""
        network = FullyConnected((config.features,), config.classes, (width,), batchnorm=False)
        network.load_state_dict(weights[k])
        return Problem(network.double().eval(), inputs[split][:count], labels[split][k, :count])

    if width == _looked_at(config) and diverged[0] < 0:
        looked = survey(student(0, "train", SAMPLES), EIGENVALUES)
        about = {"layers": np.array(looked.layers), "partial": np.array(sorted(looked.partial))}
        found |= {**about, **looked.spectra}
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
    """Spectra, thinned out, and how sloppy they are."""
    spectra = {
        name: values
        for name, values in found.items()
        if name not in {*ERRORS, "layers", "partial"} and not name.startswith("reduced_")
    }
    eigenvalues, slopes = [], []
    for about, values in named_spectra(spectra, found.get("layers", [])):
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
    """Reduced students, and how many eigenvectors each of them needs."""
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
