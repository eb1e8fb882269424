"""What a finished study leaves."""

import fnmatch
import json
import re
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
import yaml
from PIL import Image
from running import ROOT, figures_of, left_out, snakemake

from hyperribbon.studies.parts import PARTS, step_module
from hyperribbon.studies.study import parse_study
from hyperribbon.training.schedule import checkpoint_steps

STUDY = parse_study(yaml.safe_load((ROOT / "config" / "smoke.yaml").read_text()))
N_MODELS = len(STUDY.configurations()) * STUDY.training.seeds * len(checkpoint_steps(8, 400 // 50))

pytestmark = pytest.mark.workflow


@pytest.fixture
def results(finished: Path) -> Path:
    return finished / "results" / "smoke"


def test_a_bare_run_draws_every_figure_that_there_is_something_to_draw_of(results):
    figures = figures_of("manifold", "curvature")
    reasons = left_out(results, figures)
    small = {"away", "importance", "norm_bounds", "spectral_density"}
    assert {re.sub("_(train|test)$", "", name) for name in reasons} <= small
    for name in figures - set(reasons):
        with Image.open(results / "figures" / f"{name}.png") as image:
            assert np.asarray(image.convert("L")).std() > 5, f"{name} is blank"
        assert "<svg" in (results / "figures" / f"{name}.svg").read_text()[:2000]


def test_the_end_names_the_report_and_what_was_found(finished):
    printed = (finished / "stdout.txt").read_text()
    assert "Open results/smoke/report.html and results/smoke/explorer.html" in printed
    assert re.search(rf"models +{N_MODELS}\b", printed)


def test_a_run_says_what_there_is_to_do_and_what_is_of_note_and_little_else(finished):
    printed = (finished / "stdout.txt").read_text()
    assert re.search(r"^\d+ jobs: .*\b4 train\b", printed, re.MULTILINE)
    assert "first picture, after" in printed
    assert re.search(r"^\d+ jobs done in", printed, re.MULTILINE)
    assert "\r" not in printed  # of a live line, which is for terminals
    assert "rule train:" not in printed


@pytest.mark.usefixtures("in_turn")
def test_a_second_run_has_nothing_to_do(finished):
    assert "Nothing to be done" in snakemake(finished, "--cores", "2").stdout


def test_results_readme_maps_every_file(results):
    text = (ROOT / "results" / "README.md").read_text()
    chapters = re.split(r"^## ", text, flags=re.M)
    absent = tuple(part.title for part in PARTS if not part.is_in(STUDY))
    chapters = [c for c in chapters if not c.startswith(absent)]
    table = re.findall(r"^\| (`.+?) \|", "".join(chapters), re.M)
    patterns = []
    for pattern in re.findall(r"`([^`]+)`", " ".join(table)):
        pattern = re.sub(r"<\w+>", "*", pattern)
        options = re.search(r"\{(.*)\}", pattern)
        choices = options[1].split(",") if options else [""]
        patterns += [re.sub(r"\{.*\}", choice, pattern) for choice in choices]
    for path in results.rglob("*"):
        name = path.relative_to(results).as_posix()
        if path.is_file():
            mapped = any(
                name == p or fnmatch.fnmatch(name, f"{p.rstrip('/')}/*") or fnmatch.fnmatch(name, p)
                for p in patterns
            )
            assert mapped, f"{name} is not in results/README.md"
    without = json.loads((results / "figures.json").read_text())["left_out"]
    for pattern in patterns:
        there = list(results.glob(pattern)) or Path(pattern).stem in without
        assert there, f"{pattern} is in results/README.md but not there"


@pytest.mark.parametrize("configuration", STUDY.configurations(), ids=lambda c: c.label)
def test_predictions_open_labelled(results, configuration):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        store = xr.open_zarr(results / "predictions" / f"{configuration.id}.zarr")
    train, test = store["train_predictions"], store["test_predictions"]
    assert train.dims == ("seed", "checkpoint", "train_sample", "class")
    assert test.dims == ("seed", "checkpoint", "test_sample", "class")
    assert train.shape[2:] == (400, 10)
    assert test.shape[2:] == (200, 10)
    assert store["step"].values.tolist() == checkpoint_steps(8, 8)
    assert store.attrs["configuration"] == configuration.to_json()
    assert store.attrs["data_sha256"] == xr.open_zarr(results / "data.zarr").attrs["sha256"]
    assert json.loads(store.attrs["versions"])["torch"]
    labels = store["train_label"].values
    p = train.values.astype(float)[:, :, np.arange(len(labels)), labels]
    np.testing.assert_allclose(-np.log(p).mean(axis=2), store["train_loss"], rtol=1e-4)


def test_distances_are_those_of_the_stored_predictions(results):
    D = xr.open_zarr(results / "distance" / "test.zarr").load()
    assert D["distance"].shape == (N_MODELS, N_MODELS)
    for i, j in [(0, 5), (3, N_MODELS - 1), (50, 51)]:
        P, Q = (
            xr.open_zarr(results / "predictions" / f"{model['configuration'].item()}.zarr")
            .test_predictions.sel(seed=model["seed"].item())
            .isel(checkpoint=model["checkpoint"].item())
            .values.astype(float)
            for model in (D.isel(model=i), D.isel(model=j))
        )
        expected = -np.log(np.sqrt(P * Q).sum(axis=1)).mean()
        assert D["distance"][i, j].item() == pytest.approx(expected, abs=1e-6)


def test_half_the_loss_is_the_distance_to_the_truth(results):
    """On train and test, for every model: an identity between four different files."""
    models = pd.read_csv(results / "tables" / "models.csv")
    for split in ("train", "test"):
        store = xr.open_zarr(results / "distance" / f"{split}.zarr")
        to_truth = store["geodesic_distance"].sel(alpha=1.0).values
        part = models[models["split"] == split]
        assert part["configuration"].tolist() == store["configuration"].values.tolist()
        np.testing.assert_allclose(2 * to_truth, part["loss"], rtol=1e-3, atol=1e-6)


def test_tables_are_tidy_and_complete(results):
    tables = {path.stem: pd.read_csv(path) for path in (results / "tables").iterdir()}
    models = tables["models"]
    assert len(models) == 2 * N_MODELS
    keys = ["split", "configuration", "seed", "checkpoint"]
    assert not models.duplicated(keys).any()
    assert models[["loss", "error", "progress", "pc1", "pc2", "pc3"]].notna().all(axis=None)
    assert models["progress"].between(0, 1).all()
    n_trainings = len(STUDY.configurations()) * STUDY.training.seeds
    assert len(tables["trajectories"]) == 2 * n_trainings
    stress = tables["explained_stress"].query("split == 'train'")["explained_stress"]
    assert stress.is_monotonic_increasing
    assert stress.iloc[-1] == pytest.approx(1, abs=1e-3)  # of the dimensions kept
    n_pairs = len(STUDY.configurations()) * (len(STUDY.configurations()) + 1) / 2
    assert len(tables["configuration_distances"]) == 2 * n_pairs
    assert tables["diverged"].empty


@pytest.mark.parametrize("page", ["report.html", "explorer.html", "summary.html"])
def test_pages_load_nothing_from_the_network(results, page):
    text = (results / page).read_text()
    assert len(text) > 1000
    loading = r"<(?:script|link|img|iframe|source)\b[^>]*\b(?:src|href)\s*=\s*[\"']?(?:https?:)?//"
    assert re.findall(loading, text) == []
    assert re.findall(r"@import|url\(\s*[\"']?(?:https?:)?//", text) == []


def test_the_report_shows_every_figure_and_table(results):
    text = (results / "report.html").read_text()
    drawn = json.loads((results / "figures.json").read_text())["drawn"]
    figures = [f"figures/{name}.png" for name in drawn]
    for name in [*figures, "tables/summary.csv"]:
        assert f"results/smoke/{name}" in text, name
    assert r"<a href=\"explorer.html\"" in text
    assert len(text) < 8e6


def test_pages_in_the_report_are_short_enough_for_a_browser(results):
    """Chromium shows no frame with more than 2 MB of address, which they are."""
    for page in ("summary.html", "claims.html"):
        assert (results / page).stat().st_size < 1.5e6


def test_rules_steps_logs_and_benchmarks_share_a_name():
    for path in (ROOT / "workflow" / "rules").glob("*.smk"):
        for name, body in re.findall(
            r"^rule (\w+):\n(.*?)(?=\n\n\n|\Z)", path.read_text(), re.M | re.S
        ):
            assert f"logs/{name}" in body
            # A benchmark counts as a product, and what has its products does not run.
            assert f"benchmarks/{name}" in body or name == "verify"
            assert f"python -m {step_module(name)}" in body
            # A step sums up its outputs for `verify`.
            assert re.search(r"--output {output(\.\w+)?:q}", body) or name == "verify"


def test_the_first_page_of_the_report_fits_a_narrow_screen(results, browser):
    browser.open((results / "report.html").as_uri(), width=400)
    browser.until("document.querySelector('img.opening')?.complete === true")
    right = "document.querySelector('img.opening').getBoundingClientRect().right"
    browser.until(f"0 < {right} && {right} <= 400")
