"""Distances of configurations: pairs are compared that differ in what a claim says, no others."""

import itertools

import numpy as np
import pandas as pd
import pytest

from hyperribbon.reporting.claims import NotHere
from hyperribbon.studies.manifold.claims import configurations as claims
from hyperribbon.studies.manifold.claims import pairs

NETWORKS = {
    "AllCNN": ("allcnn", 400), "Small": ("wide_resnet", 300), "Large": ("wide_resnet", 900),
    "FC": ("fully_connected", 500), "ViT": ("vit", 600),
}  # fmt: skip
OPTIMISERS = {"SGD": ("sgd", 100), "SGD-Nesterov": ("sgd", 100), "Adam": ("adam", 100)}
# Distance that a difference in each factor adds, in nats.
ADDED = {"architecture": 0.1, "network": 0.02, "algorithm": 0.01, "augmentation": 0.005}


def about(networks=NETWORKS, optimisers=OPTIMISERS):
    rows = [
        {
            "configuration": f"{network}-{optimiser}-{augmentation}", "network": network,
            "architecture": architecture, "parameters": parameters, "optimiser": optimiser,
            "algorithm": algorithm, "batch_size": batch, "learning_rate": 0.1,
            "weight_decay": 0.0, "augmentation": augmentation,
        }
        for (network, (architecture, parameters)), (optimiser, (algorithm, batch)), augmentation in
        itertools.product(networks.items(), optimisers.items(), ("none", "flip"))
    ]  # fmt: skip
    return pd.DataFrame(rows)


def tables(added=ADDED, test=2.0, **kwargs):
    table = about(**kwargs)
    found = pairs.described({"configurations": table})
    rows = []
    for a, b in itertools.combinations_with_replacement(found.index, 2):
        distance = 0.001 + sum(
            extra for factor, extra in added.items()
            if found.loc[a, factor] != found.loc[b, factor]
        )  # fmt: skip
        rows += [("train", a, b, distance), ("test", a, b, test * distance)]
    columns = ["split", "configuration", "other", "distance"]
    distances = pd.DataFrame(rows, columns=columns)
    return {"configurations": table, "configuration_distances": distances}


def test_nesterov_is_another_algorithm_and_sizes_are_networks_of_one_architecture():
    found = pairs.described({"configurations": about()})
    assert set(found["algorithm"]) == {"sgd", "sgd with Nesterov", "adam"}
    assert pairs.largest_residual(tables()) == "Large"
    one = {name: NETWORKS[name] for name in ("AllCNN", "Large")}
    with pytest.raises(NotHere, match="two sizes"):
        pairs.largest_residual(tables(networks=one))


@pytest.mark.parametrize("factor", ["algorithm", "augmentation"])
def test_pairs_that_differ_in_one_factor_are_as_far_apart_as_it_makes_them(factor):
    ours = claims.mean_of("train", claims.differing(factor), "")(tables())
    assert ours.value == pytest.approx(0.001 + ADDED[factor])
    assert ours.low == pytest.approx(ours.high)
    # Another architecture is always another network.
    apart = claims.mean_of("train", claims.differing("architecture"), "")(tables())
    assert apart.value == pytest.approx(0.001 + ADDED["architecture"] + ADDED["network"])


def test_groups_sizes_and_splits():
    found = tables()
    near = claims.farther("train", claims.sizes, claims.architectures, "")(found)
    assert near.high < 0 and near.drawn.startswith("20 groups of configurations")
    two = claims.farther(
        "train", lambda pairs: ~claims.within_groups(pairs), claims.within_groups, ""
    )(found)
    assert two.value > 0
    # Splits differ in a factor only, so sizes are equally distinguishable.
    assert claims.test_less_train(found).low > 0
    assert claims.sizes_less_distinguishable(found).value == pytest.approx(0, abs=1e-12)
    assert claims.separated(found).value == 0  # every one has a neighbour at 0.006
    far = claims.separated(tables(added=dict.fromkeys(ADDED, 0.1)))
    assert far.value == 1 and far.low < 1


def test_within_a_network_adam_is_compared_with_both_kinds_of_sgd():
    found = tables()
    D = found["configuration_distances"]
    by_adam = D["configuration"].str.contains("Adam") & D["other"].str.contains("Adam")
    D.loc[by_adam, "distance"] /= 10
    measure = claims.farther(
        "train", claims.trained_by("adam"), claims.trained_by("sgd", "sgd with Nesterov"), ""
    )
    value = 0.9 * (0.001 + ADDED["augmentation"])
    assert measure(found).value == pytest.approx(-value)


def test_what_a_study_lacks_is_said():
    found = tables(networks={"AllCNN": NETWORKS["AllCNN"]})
    for claim in claims.CLAIMS:
        if "architecture" in claim.text or "fully-connected" in claim.text:
            with pytest.raises(NotHere, match="needs"):
                claim.measure(found)
    found["configuration_distances"]["distance"] = np.nan
    for claim in claims.CLAIMS:
        with pytest.raises(NotHere):
            claim.measure(found)
