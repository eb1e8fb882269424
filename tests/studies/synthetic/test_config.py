"""The section `synthetic`: its experiments, and what it refuses, in one line."""

import re
from typing import get_args

import pytest
from pydantic import ValidationError

from hyperribbon.config.data import DATA_SOURCES, KnownName
from hyperribbon.errors import ConfigError
from hyperribbon.studies.study import parse_study
from hyperribbon.studies.synthetic.config import SyntheticConfig, SyntheticExperiment

STUDY = {"study": "sloppy", "synthetic": {}}


def test_a_study_of_synthetic_data_alone_trains_nothing_else():
    study = parse_study(STUDY)
    assert study.configurations() == []
    assert study.synthetic == SyntheticConfig()
    assert parse_study(study.model_dump(mode="json")) == study


def test_the_defaults_are_the_160_trainings_and_200_trajectories_of_the_thesis():
    config = SyntheticConfig()
    assert config.experiment("grid", 0.5).trainings == 160
    corners = config.experiment("corners", 0.5)
    assert sum(corners.seeds.values()) == 50 + 25 + 3 * 10 + 5 * 5
    assert corners.trainings == 4 * 130
    assert list(corners.networks) == ["1-hidden"]
    # 160 trainings, 60 checkpoints, 2,000 samples, 5 classes, 4 bytes
    assert config.experiment("grid", 0.5).prediction_bytes == 160 * 60 * 2000 * 5 * 4


@pytest.mark.parametrize("name", ["grid", "corners"])
def test_an_experiment_survives_json_whatever_the_order_of_keys(name):
    config = SyntheticConfig(networks={"B": [4], "A": [5]})
    experiment = config.experiment(name, 0.001)
    read = SyntheticExperiment.model_validate_json(experiment.to_json())
    assert read == experiment
    assert read.id == f"{name}-0.001"
    if name == "corners":
        assert list(read.networks) == ["A"]


def test_learning_rates_are_in_proportion_to_the_batch():
    config = SyntheticConfig()
    grid, corners = (config.experiment(name, 0.5) for name in ("grid", "corners"))
    assert grid.optimiser("SGD", 500).learning_rate == pytest.approx(0.25)
    assert corners.optimiser("Nesterov", 100).learning_rate == pytest.approx(0.05)


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ({"decays": [0.5], "shown": [0.001]}, "synthetic.shown = 0.001: one of decays: 0.5"),
        ({"decays": [0.0]}, "synthetic.decays.0 = 0.0: must be at least 1e-06"),
        ({"decays": [0.5, 0.5]}, "synthetic.decays = [0.5, 0.5]: must differ in their first six"),
        ({"decay": [0.5]}, "did you mean decays?"),
        ({"batch_sizes": [9000]}, "synthetic.batch_sizes = 9000: at most data.train_size = 5000"),
        ({"batch_sizes": [200, 1]}, "synthetic.batch_sizes = 1: at least 2"),
        ({"record_train": 5001}, "synthetic.record_train = 5001: at most data.train_size = 5000"),
        ({"epochs": 1}, "synthetic.checkpoints = 60: at most one per step and one before: epochs"),
        ({"corners": {"epochs": 1}}, "before: corners.epochs gives 50 steps"),
        ({"corners": {"trajectories": 30}}, "synthetic.corners.trajectories = 30: must be a mult"),
        ({"corners": {"counts": [1, 1]}}, "synthetic.corners.counts = [1, 1]: must not repeat"),
        ({"corners": {"batch_size": 9999}}, "synthetic.corners.batch_size = 9999: at most data"),
        ({"students": {"batch_size": 60_000}}, "synthetic.students.batch_size = 60000: at most"),
        ({"students": {"learning_rate": 1e-9}}, "students.final_learning_rate = 1e-05: at most"),
        (
            {"optimisers": {"P": {"algorithm": "adamp", "learning_rate": 0.1}}},
            'synthetic.optimisers.P.algorithm = "adamp": cannot train stacked networks',
        ),
        (
            {"optimisers": {"S": {"algorithm": "sgd", "learning_rate": 0.1, "batch_size": 3}}},
            "synthetic.optimisers.S.batch_size = 3: not in synthetic, where batch_sizes sets it",
        ),
        ({"networks": {"A": []}}, "synthetic.networks.A = []: "),
        ({"beside": "imagenet"}, 'synthetic.beside = "imagenet": allowed: "mnist5k", "digits"'),
    ],
)
def test_what_is_impossible_is_refused_in_one_line(section, message):
    with pytest.raises(ConfigError) as refusal:
        parse_study({**STUDY, "synthetic": section})
    lines = str(refusal.value).splitlines()
    assert len(lines) == 1
    assert re.match(r"configuration: synthetic\.", lines[0])
    assert message in lines[0]


def test_without_anything_to_train_a_study_is_refused():
    with pytest.raises(ConfigError, match="data: missing key"):
        parse_study({"study": "nothing"})
    with pytest.raises(ValidationError):
        SyntheticConfig(nothing=1)


def test_beside_are_the_images_of_which_all_is_known():
    assert set(get_args(KnownName)) == set(DATA_SOURCES)
