"""Which rules run again, decided without Snakemake."""

import json
import os

import pytest

from hyperribbon.storage.manifest import Manifest, inputs_of
from hyperribbon.studies import keys as module
from hyperribbon.studies.keys import Keys, recorded_keys, remade_rules

NETWORKS = {"A": 16, "B": 32}  # the trainings of a study, and the width of each


@pytest.fixture
def code(monkeypatch):
    """Versions of the steps' modules, which a test may change."""
    versions = {}

    def code_version(*modules):
        return " ".join(f"{name}:{versions.get(name, 1)}" for name in modules)

    monkeypatch.setattr(module, "code_version", code_version)
    return versions


def planned(recorded=None, remade=(), *, networks=NETWORKS, data="d", points=51, components=10):
    """The keys of a small study: data, trainings, distances, embedding, progress."""
    keys = Keys(recorded, remade)
    keys.parameters("prepare_data", data=data)
    keys.each(
        "train",
        networks,
        upstream=lambda name: ["prepare_data"],
        modules=lambda name: [f"hyperribbon.networks.{name}"],
        width=lambda name: networks[name],
    )
    keys.each("curvature", ["A"], upstream=lambda name: [f"train {name}"])
    keys.parameters("distance", "train", geodesic_points=points)
    keys.parameters("embed", "distance", components=components)
    keys.parameters("progress", "train")
    return keys


def unsettled(keys):
    return {name for name in keys if not keys.is_settled(name)}


PREDICTED = {"train", "distance", "embed", "progress"}
EVERYTHING = {"prepare_data", "train A", "train B", "curvature", "curvature A", *PREDICTED}


def test_nothing_is_settled_before_a_study_was_complete(code):
    keys = planned()
    assert set(keys) == unsettled(keys) == EVERYTHING
    assert keys.stale() == []


def test_all_is_settled_if_nothing_changed(code):
    keys = planned(dict(planned()))
    assert unsettled(keys) == set()
    assert keys.stale() == []


@pytest.mark.parametrize(
    ("change", "changed"),
    [
        ({"components": 11}, {"embed"}),
        ({"points": 101}, {"distance", "embed"}),
        ({"data": "e"}, EVERYTHING),
        ({"networks": {"A": 16, "B": 33}}, {"train B", *PREDICTED}),
        ({"networks": {"A": 17, "B": 32}}, {"train A", "curvature", "curvature A", *PREDICTED}),
        ({"networks": {"A": 16, "B": 32, "C": 8}}, {"train C", *PREDICTED}),
        ({"networks": {"A": 16}}, PREDICTED),
    ],
)
def test_a_setting_concerns_its_rule_and_what_follows(code, change, changed):
    before, now = dict(planned()), planned(**change)
    assert {name for name in now if before.get(name) != now[name]} == changed
    keys = planned(before, **change)
    assert unsettled(keys) == changed
    assert set(keys.stale()) == {name for name in changed if " " not in name}


@pytest.mark.parametrize(
    ("changed_module", "changed"),
    [
        ("hyperribbon.studies.manifold.embed", {"embed"}),
        ("hyperribbon.studies.grid.train", EVERYTHING - {"prepare_data"}),
        # Named by a rule next to its step: it counts for one network alone.
        ("hyperribbon.networks.B", {"train B", *PREDICTED}),
    ],
)
def test_code_concerns_its_rule_and_what_follows(code, changed_module, changed):
    recorded = dict(planned())
    code[changed_module] = 2
    assert unsettled(planned(recorded)) == changed


def test_a_rule_after_an_unsettled_one_is_not_settled_though_its_key_is_as_before(code):
    recorded = dict(planned())
    keys = planned(recorded, remade=["distance"])
    assert dict(keys) == recorded
    assert unsettled(keys) == {"distance", "embed"}
    assert keys.stale() == []  # the code and the settings are today's


def test_a_piece_that_was_remade_concerns_what_follows_that_piece(code):
    keys = planned(dict(planned()), remade=["train B", "train"])
    assert unsettled(keys) == {"train B", *PREDICTED}
    assert keys.is_settled("curvature A")


def test_the_order_of_pieces_and_settings_does_not_count(code):
    assert dict(planned()) == dict(planned(networks=dict(reversed(NETWORKS.items()))))
    one = Keys().parameters("embed", components=3, split="train")
    other = Keys().parameters("embed", split="train", components=3)
    assert one == other


def test_the_order_of_upstream_rules_counts_as_their_arguments_would(code):
    keys = planned()
    one = keys.parameters("tables", "distance", "embed")["upstream"]
    assert one != keys.parameters("tables", "embed", "distance")["upstream"]


def test_parameters_are_what_the_key_is_of(code):
    keys = Keys()
    found = keys.parameters("distance", modules=["numba"], geodesic_points=51)
    assert found["code"] == "hyperribbon.studies.manifold.distance:1 numba:1"
    assert found["geodesic_points"] == 51
    assert set(found) == {"code", "upstream", "geodesic_points"}
    other = Keys()
    other.remember("distance", found)
    assert other["distance"] == keys["distance"]


def test_a_rule_without_pieces_has_a_key(code):
    keys = Keys()
    assert keys.each("train", []) == {}
    assert set(keys) == {"train"}
    again = Keys(dict(keys))
    again.each("train", [])
    assert again.is_settled("train")


def test_each_gives_the_parameters_of_each_piece(code):
    keys = Keys()
    found = keys.each("train", iter(["A", "B"]), width=lambda name: NETWORKS[name])
    assert [found[name]["width"] for name in "AB"] == [16, 32]
    assert found["A"] == Keys().parameters("train", width=16)


def test_what_is_remembered_again_may_be_settled_no_longer(code):
    keys = planned(dict(planned()))
    keys.remember("embed", "something else", "distance")
    assert not keys.is_settled("embed")


def test_a_rule_is_refused_before_its_upstream_or_without_a_step(code):
    with pytest.raises(KeyError, match="distance"):
        Keys().parameters("embed", "distance")
    with pytest.raises(KeyError, match="step nothing: there is none of that name"):
        Keys().parameters("nothing")


def test_recorded_keys_survive_their_file(code, tmp_path):
    path = tmp_path / "keys.json"
    path.write_text(json.dumps(dict(planned())))
    assert recorded_keys(path) == dict(planned())


@pytest.mark.parametrize("content", [None, "", "{", "[1]", "3", "null"])
def test_without_a_record_that_can_be_read_nothing_was_complete(tmp_path, content):
    path = tmp_path / "keys.json"
    if content is not None:
        path.write_text(content)
    assert recorded_keys(path) == {}


def store(results, name, inputs=(), content="1"):
    """A store of one file, with its manifest."""
    path = results / f"{name}.zarr"
    path.mkdir(parents=True, exist_ok=True)
    (path / "zarr.json").write_text(content)
    Manifest.of(path, inputs_of([results / f"{one}.zarr" for one in inputs])).write(
        results / f"{name}.json"
    )


@pytest.fixture
def results(tmp_path):
    """Stores of a study: B starts from the weights of A."""
    store(tmp_path, "predictions/A")
    store(tmp_path, "predictions/B", ["predictions/A"])
    predictions = ["predictions/A", "predictions/B"]
    store(tmp_path, "distance/train", predictions)
    store(tmp_path, "embedding/train", ["distance/train"])
    store(tmp_path, "progress/train", predictions)
    store(tmp_path, "trajectories/train", [*predictions, "progress/train"])
    store(tmp_path, "curvature/A", ["predictions/A"])
    return tmp_path


def test_nothing_is_remade_in_a_study_as_it_was_computed(results):
    assert remade_rules(results, ["B"]) == set()
    assert remade_rules(results / "absent", ["B"]) == set()


@pytest.mark.parametrize(
    ("name", "rules"),
    [
        ("predictions/A", {"train", "train A"}),
        ("predictions/B", {"train", "train B"}),
        ("distance/train", {"distance"}),
        ("progress/train", {"progress"}),
        ("embedding/train", set()),  # nothing is computed from it but tables
    ],
)
def test_a_store_with_other_content_than_others_were_computed_from(results, name, rules):
    store(results, name, content="2")
    assert remade_rules(results, ["B"]) == rules


def test_a_store_that_was_only_touched_or_made_again_alike_is_not_remade(results):
    store(results, "predictions/A")
    os.utime(results / "predictions" / "A.json", (1, 1))
    assert remade_rules(results, ["B"]) == set()


def test_a_start_counts_only_for_what_starts_from_it(results):
    for kind in ("distance", "embedding", "progress", "trajectories", "curvature"):
        for path in (results / kind).glob("*.json"):
            path.unlink()
    store(results, "predictions/A", content="2")
    assert remade_rules(results, ["B"]) == {"train", "train A"}
    assert remade_rules(results, []) == set()


def test_a_damaged_manifest_does_not_hide_the_others(results):
    (results / "embedding" / "train.json").write_text("{}")
    store(results, "predictions/A", content="2")
    assert remade_rules(results, ["B"]) == {"train", "train A"}


def test_a_store_that_is_gone_counts_as_remade(results):
    (results / "distance" / "train.json").unlink()
    assert remade_rules(results, ["B"]) == {"distance"}
