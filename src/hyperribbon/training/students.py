"""Students that learn the labels of a teacher until they interpolate (thesis 4.7.1, Fig. 4.1).

Of one of them, the spectra that chapter 4 compares are found after training: the first seed, of the
first teacher, and of the largest width up to `LOOKED_AT`.
"""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from hyperribbon.config import AdamConfig, StudentsConfig, digest
from hyperribbon.config.synthetic import decay_name
from hyperribbon.curvature import Problem
from hyperribbon.curvature.survey import survey
from hyperribbon.curvature.tables import (
    SLOPPINESS_COLUMNS,
    SPECTRUM_COLUMNS,
    named_spectra,
    sloppiness_row,
    thinned,
)
from hyperribbon.data.sloppy import load
from hyperribbon.locks import locked
from hyperribbon.networks.fully_connected import FullyConnected
from hyperribbon.provenance import versions
from hyperribbon.training.finished import keep
from hyperribbon.training.parallel import keep_freed_memory
from hyperribbon.training.stacked import StackedFullyConnected, predict_stacked
from hyperribbon.training.stacked_loop import train_stacked
from hyperribbon.training.work import remove_superseded, work_folder

LOOKED_AT = 200  # hidden units at most of the student whose spectra are found
SAMPLES = 300  # of which: more than the inputs, few enough for complete spectra in seconds
EIGENVALUES = 100  # of the Hessian; beyond as many, spectra are flat if inputs are isotropic
ERRORS = ("train_error", "test_error")


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
    """
    keep_freed_memory()
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
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
    rows, looked_at = [], _looked_at(config)
    with locked(folder):
        remove_superseded(folder)
        for width in config.student_widths:
            found = keep(folder / str(width), lambda w=width: _trained(config, w, teachers))
            kinds = product(config.teacher_widths, range(config.seeds))
            for k, (teacher, seed) in enumerate(kinds):
                errors = [found[name][k] for name in ERRORS]
                rows.append((teacher, width, seed, *errors, config.epochs))
            if width == looked_at:
                spectra, sloppiness = _tables(width, found)
    columns = ["teacher_width", "student_width", "seed", *ERRORS, "epochs"]
    return {
        "students": pd.DataFrame(rows, columns=columns),
        "student_spectra": spectra,
        "student_sloppiness": sloppiness,
    }


def _looked_at(config: StudentsConfig) -> int:
    """Width of the student whose spectra are found."""
    widths = config.student_widths
    return max((w for w in widths if w <= LOOKED_AT), default=min(widths))


def _trained(config: StudentsConfig, width: int, teachers: dict) -> dict[str, np.ndarray]:
    """Errors (S,) of students of one width, teachers slowest; of one, spectra, too."""
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
        progress=f"students of width {width}",
    )
    found = {}
    for split, x in inputs.items():
        wrong = (predict_stacked(students, x).numpy().argmax(axis=2) != labels[split]).mean(axis=1)
        found[f"{split}_error"] = np.where(diverged < 0, wrong, np.nan)
    if width == _looked_at(config) and diverged[0] < 0:
        student = FullyConnected((config.features,), config.classes, (width,), batchnorm=False)
        student.load_state_dict(students.state_dicts()[0])
        some = inputs["train"][:SAMPLES], labels["train"][0, :SAMPLES]
        looked = survey(Problem(student.double().eval(), *some), EIGENVALUES)
        about = {"layers": np.array(looked.layers), "partial": np.array(sorted(looked.partial))}
        found |= {**about, **looked.spectra}
    return found


def _tables(width: int, found: dict[str, np.ndarray]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Spectra, thinned out, and how sloppy they are."""
    known = {*ERRORS, "layers", "partial"}
    spectra = {name: values for name, values in found.items() if name not in known}
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
