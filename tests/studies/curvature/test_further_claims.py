"""Further claims on spectra: what is put into tables is what is measured of them."""

import numpy as np
import pandas as pd
import pytest

from hyperribbon.reporting.claims import NotHere
from hyperribbon.studies.curvature import further_claims as claims


def rows(*given):
    """Rows of `sloppiness`: configuration, moment, matrix, and other columns."""
    base = {
        "augmentation": "none", "part": "", "slope": -0.1, "largest": 1.0, "trace": 1.0,
        "elbow": 2.0, "eigenvalues": 100, "r_squared": 0.95, "first": 10, "last": 110, "epoch": 0,
    }  # fmt: skip
    table = [
        {**base, "configuration": who, "network": who, "moment": moment, "matrix": matrix, **more}
        for who, moment, matrix, more in given
    ]
    return pd.DataFrame(table)


def spectra(**given):
    """Rows of `spectra`, from values by matrix and moment, of one network."""
    parts = [
        pd.DataFrame({"index": range(1, len(values) + 1), "eigenvalue": values}).assign(
            configuration="A", matrix=name.rsplit("_", 1)[0], moment=name.rsplit("_", 1)[1]
        )
        for name, values in given.items()
    ]
    return pd.concat(parts)


def test_lines_of_sloppy_ranges():
    found = {"sloppiness": rows(*[
        (who, "end", "fisher", {"slope": slope, "r_squared": r})
        for who, slope, r in (("A", -0.1, 0.9), ("B", -0.2, 0.8), ("C", -0.4, 0.99))
    ])}  # fmt: skip
    assert claims.evenly_spaced("fisher")(found).value == 0.9
    assert claims.orders("fisher")(found).value == pytest.approx(20 / np.log(10))
    ours = claims.networks_differ("fisher")(found)
    assert ours.value == pytest.approx(4) and "C over A" in ours.note
    with pytest.raises(NotHere, match="two networks"):
        claims.networks_differ("fisher")({"sloppiness": found["sloppiness"][:1]})
    with pytest.raises(NotHere, match="sloppy ranges"):
        claims.evenly_spaced("jacobian_summed")(found)


def test_matrices_are_compared_network_by_network():
    found = {"sloppiness": rows(
        ("A", "end", "fisher", {"largest": 6, "trace": 1, "slope": -0.2}),
        ("A", "end", "hessian", {"largest": 2}),
        ("A", "end", "jacobian_all", {"trace": 20}),
        ("A", "end", "activations", {"part": "1", "slope": -0.1}),
        ("A", "end", "activations", {"part": "2", "slope": -0.3}),
        ("A", "end", "input", {"elbow": 3, "eigenvalues": 60}),
    )}  # fmt: skip
    assert claims.ratio_of("largest", "fisher", "hessian")(found).value == pytest.approx(3)
    assert claims.ratio_of("trace", "fisher", "jacobian_all")(found).value == pytest.approx(0.05)
    assert claims.decay_of_activations(found).value == pytest.approx(1)
    assert claims.stiff_share_of_inputs(found).value == pytest.approx(0.05)
    with pytest.raises(NotHere, match="fisher and kfac"):
        claims.ratio_of("largest", "fisher", "kfac")(found)


def test_layers_are_in_their_order():
    largest = (5, 3, 4, 1)
    found = {"sloppiness": rows(*[
        ("A", "end", "gradients", {"part": f"layer {9 - k}", "largest": value})
        for k, value in enumerate(largest)
    ])}  # fmt: skip
    assert claims.shrinks_with_layers(found).value == pytest.approx(-0.8)


def test_growth_of_eigenvalues():
    start, end = 10.0 ** -np.arange(12), 10.0 ** -(np.arange(12) / 2)
    found = {
        "sloppiness": rows(("A", "initialisation", "fisher", {"largest": 1.0}),
                           ("A", "end", "fisher", {"largest": 1e3, "elbow": 2})),
        "spectra": spectra(
            fisher_initialisation=start, fisher_end=end, hessian_initialisation=start,
            hessian_end=-end,
        ),
    }  # fmt: skip
    assert claims.growth("orders")(found).value == pytest.approx(3)
    assert claims.growth("ratio")(found).value == pytest.approx(1e3)
    # Of indices 3 to 12 the exponent grows by 1 to 5.5; that of the first does not.
    assert claims.sloppy_grow_more(found).value == pytest.approx(np.median(np.arange(2, 12) / 2))
    assert claims.hessian_keeps_shape(found).value == pytest.approx(10**4.5)
    with pytest.raises(NotHere, match="ten eigenvalues"):
        claims.hessian_keeps_shape({"spectra": found["spectra"].query("index < 5")})


def test_stiff_part_of_the_trace_and_leading_eigenvalues():
    values = [4.0, 3.0, 2.0, 1.0]
    found = {
        "sloppiness": rows(("A", "end", "fisher", {"trace": 10.0, "elbow": 2})),
        "spectra": spectra(fisher_end=values, kfac_end=[8.0, 6.0, 2.0], hessian_end=values),
    }
    assert claims.stiff_part_of_trace("fisher")(found).value == pytest.approx(0.7)
    assert claims.ratio_of_leading("kfac", "hessian")(found).value == pytest.approx(2)
    found["sloppiness"]["elbow"] = 7  # beyond what the table keeps
    with pytest.raises(NotHere, match="complete spectra"):
        claims.stiff_part_of_trace("fisher")(found)


def test_random_labels_are_compared_with_none():
    found = {"sloppiness": rows(
        ("A", "end", "empirical_fisher", {"largest": 1e-3}),
        ("B", "end", "empirical_fisher", {"largest": 1e4, "augmentation": "random-20"}),
        ("C", "end", "empirical_fisher", {"largest": 1e9, "augmentation": "random-80"}),
    ).assign(network="FC")}  # fmt: skip
    assert claims.orders_without_random_labels(found).value == pytest.approx(7)
    with pytest.raises(NotHere, match="in fractions"):
        claims.orders_without_random_labels({"sloppiness": found["sloppiness"][:1]})


def test_reduced_networks():
    reduction = pd.DataFrame({
        "configuration": "A", "kept": [1, 5, 10, 100], "test_error": [0.8, 0.6, 0.3, 0.1],
    })  # fmt: skip
    assert claims.error_with(0.05)({"reduction": reduction}).value == 0.6
    with pytest.raises(NotHere, match="Fisher spectra"):
        claims.error_with(0.001)({"reduction": reduction})
    rng = np.random.default_rng(0)
    parts = [
        pd.DataFrame(rng.normal(size=(500, 3)) * [1, width, 0], columns=["pc1", "pc2", "pc3"])
        .assign(configuration="A", fraction=fraction, kept=kept)
        for fraction, kept, width in ((0.01, 1, 0.0), (0.05, 5, 1.0), (1.0, 100, 1.0))
    ]  # fmt: skip
    found = {"reduction_embedding": pd.concat(parts)}
    assert claims.nearer_to_a_line(found).value == pytest.approx(0.5, abs=0.05)
    with pytest.raises(NotHere, match="1% and to 5%"):
        claims.nearer_to_a_line({"reduction_embedding": parts[1]})
