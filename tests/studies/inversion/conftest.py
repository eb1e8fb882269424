"""Tables of small studies of class manifolds, as the steps leave them."""

from dataclasses import replace

import pandas as pd
import pytest
from sklearn.datasets import load_digits

from hyperribbon.representations.inversion_experiments import (
    InversionSettings,
    curves_table,
    points_table,
    run_all,
)
from hyperribbon.representations.inversion_in_predictions import predictions_table
from hyperribbon.representations.straggler_experiments import (
    as_images,
    conservation_table,
    difficulty_table,
    run_removals,
)

SETTINGS = InversionSettings(
    learning_rate=1.0, epochs=60, runs=3, fewer_runs=2, width=6, widths=(4,), depths=(2,),
    subsamples=(100, 200), adam=(0.01,), batch_size=50, groupings=1, convolutional_runs=0,
    watched=100,
)  # fmt: skip


def tables_of(name, settings):
    digits = load_digits()
    x, classes = digits.images[:, None], digits.target
    samples = as_images(x[:300], classes[:300], x[300:600], classes[300:600])
    base, others = run_all(samples, settings)
    removed, counts = run_removals(base, samples, settings)
    manifold, signatures = predictions_table(base)
    found = {
        "inversion_curves": curves_table([base, *others, *removed]),
        "inversion_points": points_table([base, *others, *removed]),
        "inversion_removed": counts,
        "inversion_conservation": conservation_table(base, others, samples),
        "inversion_difficulty": difficulty_table(base, others, samples),
        "inversion_manifold": manifold,
        "inversion_signatures": signatures,
    }
    inverts = found["inversion_points"].query("kind == 'usual'")["inverts"]
    return {key: table.assign(data=name) for key, table in found.items()}, inverts


@pytest.fixture(scope="package")
def inverting():
    """Of one data set, on which runs invert."""
    found, inverts = tables_of("mnist", SETTINGS)
    assert inverts.all()
    return found


@pytest.fixture(scope="package")
def never():
    """Of one data set, on which no run inverts, because trainings are too short."""
    found, inverts = tables_of("digits", replace(SETTINGS, epochs=6))
    assert not inverts.any()
    return found


@pytest.fixture(scope="package")
def both(inverting, never):
    """Of two data sets."""
    return {
        name: pd.concat([inverting[name], never[name]], ignore_index=True) for name in inverting
    }
