"""The smallest study, with a plugin of every kind, and what a change of its file runs again."""

import json
from pathlib import Path

import pandas as pd
import pytest
import yaml
from running import ANALYSIS, copy_repository, figures_of, finished_study, left_out, snakemake

pytestmark = [pytest.mark.workflow, pytest.mark.slow]

PLUGIN = "examples/plugins.py"
STUDY = {
    "study": "mine",
    "plugins": [PLUGIN],
    "data": {"name": "digits", "train_size": 100, "test_size": 50, "image_size": 4},
    "networks": {"Softmax": {"architecture": "softmax_regression", "bias": False}},
    "optimisers": {"SGD": {"algorithm": "sgd", "learning_rate": 0.1}},
    "training": {"epochs": 2, "batch_size": 50, "seeds": 1},
    "analysis": {"progress_points": 5, "geodesic_points": 5, "sampled_models": 20, "draws": 1},
}
REPORT = {"gather_report": 1, "all": 1}
CHANGES = {
    "test loss (nats)": ("loss", {"draw": 1, **REPORT}),
    "dimension == 3": ("dimension == 4", {"claims": 1, **REPORT}),
    "sum(-1) / 2": ("sum(-1)", {"metrics": 1, "explore": 1, "draw": 1, "claims": 1, **REPORT}),
    "nn.Flatten()": ("nn.Flatten(1)", {"train": 1, **ANALYSIS}),
}


@pytest.fixture(scope="module")
def smallest(tmp_path_factory) -> Path:
    repository = copy_repository(tmp_path_factory.mktemp("plugins") / "repository")
    (repository / "config" / "config.yaml").write_text(yaml.safe_dump(STUDY, sort_keys=False))
    finished_study(repository, "mine")
    return repository


def test_figures_are_left_out_and_it_says_why(smallest, planned):
    """One network, one optimiser, one seed: no tubes, nothing to cluster."""
    figures = figures_of("manifold") | {"error_by_loss"}
    reasons = left_out(smallest / "results" / "mine", figures)
    assert {"tubes", "tubes_by", "dendrogram_train", "ensemble_gain"} <= set(reasons)
    assert planned(smallest) == {}


def test_each_kind_is_where_the_others_are(smallest):
    results = smallest / "results" / "mine"
    assert list((results / "predictions").glob("Softmax-SGD-*.zarr"))
    metrics = pd.read_csv(results / "tables" / "metrics.csv")
    assert metrics["metric"].unique()[-1] == "total_variation"
    assert len(metrics["metric"].unique()) == 5
    assert '"total_variation":"total variation"' in (results / "explorer.html").read_text()
    listed = json.loads((results / "figures.json").read_text())
    assert listed["drawn"][-1] == "error_by_loss"
    report = (results / "report.html").read_text()
    assert "with one colour per network" in report
    assert "Metrics, networks, figures and claims of its own" in report
    claims = pd.read_csv(results / "claims.csv")
    assert claims["source"].iloc[-1] == PLUGIN
    assert claims["verdict"].iloc[-1] == "reproduced"
    assert claims["claim"].iloc[-1] in (results / "claims.html").read_text()


def test_a_change_runs_what_uses_it(smallest, planned):
    path = smallest / PLUGIN
    text = path.read_text()
    for old, (new, jobs) in CHANGES.items():
        path.write_text(text.replace(old, new))
        assert path.read_text() != text
        assert planned(smallest) == jobs
    path.write_text(text)
    assert snakemake(smallest, "--cores", "1", "verify").returncode == 0


def test_what_is_wrong_is_said_before_any_job(smallest):
    path = smallest / PLUGIN
    text = path.read_text()
    for new, message in (
        (text.replace('["models"]', '["model"]'), "needs = 'model', expected some of away, "),
        (text.replace('"Progress"', '"Progres"'), "category = 'Progres', expected one of"),
        (text.replace("class", "klass").replace("def ", "define "), "SyntaxError: "),
        (text.replace('("softmax_', '("soft_'), "networks.Softmax.architecture = "),
    ):
        path.write_text(new)
        run = snakemake(smallest, "--dry-run")
        assert run.returncode != 0
        assert message in run.stdout
        assert "Traceback" not in run.stdout
    path.write_text(text)
