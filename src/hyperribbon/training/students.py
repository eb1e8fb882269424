"""Students that learn the labels of a teacher until they interpolate (thesis 4.7.1, Fig. 4.1)."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from hyperribbon.config import AdamConfig, StudentsConfig, digest
from hyperribbon.config.synthetic import decay_name
from hyperribbon.data.sloppy import load
from hyperribbon.locks import locked
from hyperribbon.provenance import versions
from hyperribbon.training.finished import keep
from hyperribbon.training.parallel import keep_freed_memory
from hyperribbon.training.stacked import StackedFullyConnected, predict_stacked
from hyperribbon.training.stacked_loop import train_stacked
from hyperribbon.training.work import remove_superseded, work_folder


def train_students(
    config: StudentsConfig, decay: float, work: str | Path, *, code: str = ""
) -> pd.DataFrame:
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
    One row a student: teacher_width, student_width, seed, train_error and test_error at the end, of
    all samples, and epochs trained. A loss that stopped being finite gives errors that are NaN.
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
    rows = []
    with locked(folder):
        remove_superseded(folder)
        for width in config.student_widths:
            found = keep(folder / str(width), lambda w=width: _errors(config, w, teachers))
            kinds = product(config.teacher_widths, range(config.seeds))
            for k, (teacher, seed) in enumerate(kinds):
                errors = [found[f"{split}_error"][k] for split in ("train", "test")]
                rows.append((teacher, width, seed, *errors, config.epochs))
    columns = ["teacher_width", "student_width", "seed", "train_error", "test_error", "epochs"]
    return pd.DataFrame(rows, columns=columns)


def _errors(config: StudentsConfig, width: int, teachers: dict) -> dict[str, np.ndarray]:
    """Errors (S,) of students of one width, teachers slowest."""
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
    return found
