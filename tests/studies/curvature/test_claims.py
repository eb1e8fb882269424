"""Claims on spectra: what is put into tables is what is measured of them."""

import numpy as np
import pandas as pd
import pytest

from hyperribbon.reporting.claims import NotHere
from hyperribbon.studies.curvature import claims as curvature


def sloppiness(*rows):
    columns = ["configuration", "augmentation", "moment", "epoch", "matrix", "part", "slope"]
    columns += ["largest", "trace", "elbow", "eigenvalues"]
    return {"sloppiness": pd.DataFrame(rows, columns=columns)}


def row(matrix, slope, *, who="A", noise="none", moment="end", part="", trace=1.0, largest=1.0,
        elbow=2, eigenvalues=100):  # fmt: skip
    epoch = {"initialisation": 0, "middle": 1, "end": 2}[moment]
    return (who, noise, moment, epoch, matrix, part, slope, largest, trace, elbow, eigenvalues)


def test_slopes_are_compared_with_those_of_the_inputs_network_by_network():
    tables = sloppiness(
        row("input", -0.1), row("fisher", -0.02), row("activations", -0.04, part="1"),
        row("activations", -0.12, part="2"),
        row("input", -0.1, who="B"), row("fisher", -0.04, who="B"),
    )  # fmt: skip
    ours = curvature.decay_of_inputs("fisher")(tables)
    assert ours.value == pytest.approx(0.3)
    assert "0.2 to 0.4" in ours.note
    assert curvature.decay_of_inputs("activations")(tables).value == pytest.approx(0.8)
    assert curvature.parts_differ("activations")(tables).value == pytest.approx(3)
    assert ours.drawn == "2 networks drawn with replacement" and ours.low > 0
    with pytest.raises(NotHere, match="needs two layers or classes"):
        curvature.parts_differ("fisher")(tables)
    with pytest.raises(NotHere, match="sloppy ranges"):
        curvature.decay_of_inputs("gradients")(tables)


def test_of_traces_the_least_change_counts():
    moments = ("initialisation", "middle", "end")
    tables = sloppiness(
        *(row("fisher", -0.1, moment=m, trace=t) for m, t in zip(moments, (1, 4, 3), strict=True))
    )
    assert curvature.least_growth_of_trace(tables).value == pytest.approx(-0.25)
    assert curvature.during_training(tables).value == pytest.approx(1)
    assert curvature.stiff_share(tables).value == pytest.approx(0.02)
    # A single network says nothing of others.
    assert np.isnan(curvature.stiff_share(tables).low)
    assert curvature.stiff_share(tables).drawn == "no interval: one network"


def random_labels(*networks):
    return sloppiness(
        *(
            row("empirical_fisher", -0.1 / v, who=f"{name}-{k}", noise=name, largest=v)
            for k, (name, v) in enumerate(networks)
        )
    )


def test_random_labels_are_ordered_by_their_fraction():
    tables = random_labels(("random-100", 11.0), ("none", 1.0), ("random-20", 3.0))
    ours = curvature.random_labels("largest")(tables)
    assert ours.value == pytest.approx(10)  # all on a line
    assert "rises at 2 of 2" in ours.note and ours.sample == "3 networks"
    assert curvature.random_labels("slope")(tables).value > 0
    with pytest.raises(NotHere, match="random labels in fractions"):
        curvature.random_labels("largest")(sloppiness(row("empirical_fisher", -0.1)))
    with pytest.raises(NotHere, match="random labels in fractions"):
        curvature.random_labels("largest")(random_labels(("random-20", 1.0), ("random-20", 2.0)))


def test_a_rise_is_sure_if_networks_agree():
    names = ["none", "random-20", "random-50", "random-80", "random-100"]
    rising = random_labels(*((name, 1.0 + k) for k, name in enumerate(names)))
    assert curvature.random_labels("largest")(rising).low > 0
    mixed = random_labels(*((name, v) for name, v in zip(names, (1, 5, 2, 1.5, 2), strict=True)))
    ours = curvature.random_labels("largest")(mixed)
    assert ours.low < 0 < ours.high


def test_overlaps_are_of_all_eigenvectors_at_the_end():
    found = pd.DataFrame({
        "configuration": "A", "moment": ["end", "end", "middle"], "k": [1, 30, 30],
        "spaces": "Fisher and Hessian", "overlap": [1.0, 0.6, 0.1], "random": [0.01, 0.02, 0.02],
    })  # fmt: skip
    tables = {"eigenspace_overlaps": found}
    assert curvature.overlap("Fisher and Hessian")(tables).value == 0.6
    ratio = curvature.overlap("Fisher and Hessian", over_random=True)(tables)
    assert ratio.value == pytest.approx(30) and "30 eigenvectors" in ratio.note


def test_of_bounds_the_nearest_counts():
    found = pd.DataFrame({"statement": ["Lemma 4.7.2", "Lemma 4.3.2"], "ratio": [0.1, 0.4]})
    ours = curvature.nearest_bound({"norm_bounds": found})
    assert ours[:3] == (0.4, 0.4, 0.4) and "Lemma 4.3.2" in ours.note
    with pytest.raises(NotHere, match="without biases"):
        curvature.nearest_bound({"norm_bounds": found[:0]})


def test_what_few_directions_lose_is_against_the_whole_network():
    found = pd.DataFrame({
        "configuration": ["A"] * 4 + ["B"] * 2, "kept": [1, 5, 10, 100, 1, 50],
        "test_error": [0.5, 0.3, 0.2, 0.1, 0.15, 0.05],
    })  # fmt: skip
    lost = curvature.lost_with(0.05)({"reduction": found})
    assert lost.value == pytest.approx(0.15) and lost.note == "0.1 to 0.2"
    with pytest.raises(NotHere, match="Fisher spectra"):
        curvature.lost_with(0.001)({"reduction": found})


def test_the_effective_dimension_counts_against_the_weights():
    dimension = pd.DataFrame({
        "configuration": "A", "moment": ["middle", "end"], "effective_dimension": [50, 10],
        "parameters": 1000,
    })  # fmt: skip
    assert curvature.effective_dimension({"effective_dimension": dimension}).value == 0.01
