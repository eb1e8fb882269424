"""Stacks of trainings on synthetic data: each as it is alone, whatever interrupts them."""

import numpy as np
import pytest
import torch
import xarray as xr

from hyperribbon.data.sloppy import load
from hyperribbon.data.spectrum import input_spectrum
from hyperribbon.runtime.cached_pieces import keep
from hyperribbon.storage.manifest import Manifest, manifest_path
from hyperribbon.studies.synthetic import student_training as students
from hyperribbon.studies.synthetic import training as module
from hyperribbon.studies.synthetic.config import StudentsConfig, SyntheticConfig
from hyperribbon.studies.synthetic.student_training import train_students
from hyperribbon.studies.synthetic.training import checkpoints_of, stacks_of, train_experiment
from hyperribbon.training.stacked import StackedFullyConnected, add_corner, predict_stacked
from hyperribbon.training.stacked_loop import train_stacked

CONFIG = SyntheticConfig(
    data={"features": 12, "classes": 3, "teacher_width": 10, "train_size": 120, "test_size": 40},
    decays=[0.5],
    shown=[0.5],
    networks={"A": [16], "B": [16, 8]},
    optimisers={
        "SGD": {"algorithm": "sgd", "learning_rate": 0.05},
        "Adam": {"algorithm": "adam", "learning_rate": 0.01, "weight_decay": 0.1},
    },
    batch_sizes=[20, 30],
    seeds=3,
    epochs=3,
    checkpoints=5,
    record_train=60,
    corners={"counts": [1, 2], "trajectories": 8, "batch_size": 20, "epochs": 3, "slice": 0.15},
)


@pytest.fixture(autouse=True)
def as_before():
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(False)


@pytest.fixture(scope="module", params=["grid", "corners"])
def published(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    experiment = CONFIG.experiment(request.param, 0.5)
    train_experiment(experiment, folder / "work", folder / "store.zarr")
    return experiment, folder


def test_the_store_is_labelled_and_whole(published):
    experiment, folder = published
    store = xr.open_zarr(folder / "store.zarr")
    assert Manifest.read(manifest_path(folder / "store.zarr")).damage(folder / "store.zarr") == {}
    P = store["train_predictions"]
    assert P.dims == ("training", "checkpoint", "train_sample", "class")
    assert P.shape == (experiment.trainings, 5 + (experiment.name == "corners"), 60, 3)
    np.testing.assert_allclose(P.sum("class"), 1, atol=1e-5)
    assert ("test_predictions" in store) == (experiment.name == "grid")
    assert {"experiment", "data_sha256", "code_version", "versions"} <= set(store.attrs)
    assert not list((folder / "work").iterdir())
    decays = dict(zip(store["optimiser"].values, store["weight_decay"].values, strict=True))
    assert decays == {"SGD": 0.0, "Adam": 0.1}
    wrong = P.argmax("class") != store["train_label"]
    np.testing.assert_allclose(wrong.mean("train_sample"), store["train_error"])
    if experiment.name == "corners":
        assert store.attrs["slice_checkpoint"] == 2  # step 3 of 18, after 0 and 1
        assert store["train_predictions"][:, 0].max("class").mean() > 0.7


def test_trainings_are_those_of_the_stacked_loop(published):
    experiment, folder = published
    store = xr.open_zarr(folder / "store.zarr").load()
    train, _ = load(decay=0.5, **experiment.data.model_dump())
    last = len(experiment.seeds) * 2 - 1  # of a configuration's trainings
    for k in (0, last, experiment.trainings - 1):
        about = store.isel(training=k)
        corner, seed, batch = (int(about[name]) for name in ("corner", "seed", "batch_size"))
        stack = StackedFullyConnected.from_seeds(
            [seed], (12,), 3, widths=experiment.networks[about["network"].item()]
        )
        if corner:
            whole = torch.nn.Module()
            (state,) = stack.state_dicts()
            network = module._network(
                experiment, module.Stack(about["network"].item(), "SGD", batch, ()), (0, seed)
            )
            network.load_state_dict(state)
            whole.network = network
            add_corner(whole, corner)
            stack = StackedFullyConnected([network])
        train_stacked(
            stack,
            experiment.optimiser(about["optimiser"].item(), batch),
            torch.from_numpy(train.images),
            torch.from_numpy(train.labels),
            seeds=[seed],
            epochs=3,
            batch_size=batch,
            checkpoints=[],
        )
        seen = torch.from_numpy(train.images)[store["train_index"].values]
        alone = predict_stacked(stack, seen)[0].numpy()
        np.testing.assert_allclose(about["train_predictions"][-1], alone, atol=1e-4)


@pytest.mark.parametrize("published", ["grid"], indirect=True)
def test_killed_and_resumed_gives_the_same_store(published, tmp_path, monkeypatch, caplog):
    experiment, folder = published
    whole = module.train_stack
    done = []

    def killed(experiment, stack, *parts):
        if len(done) == 3:
            raise KeyboardInterrupt
        done.append(stack)
        return whole(experiment, stack, *parts)

    monkeypatch.setattr(module, "train_stack", killed)
    with pytest.raises(KeyboardInterrupt):
        train_experiment(experiment, tmp_path / "work", tmp_path / "store.zarr")
    assert not (tmp_path / "store.zarr").exists()
    # Of what is kept, one was damaged since, and one was not written to its end.
    (work,) = (tmp_path / "work").iterdir()
    (work / f"{done[0].name}.npz").write_bytes(b"nothing")
    (work / f"{done[1].name}.sha256").unlink()
    again = []
    monkeypatch.setattr(
        module,
        "train_stack",
        lambda e, stack, *parts: again.append(stack) or whole(e, stack, *parts),
    )
    train_experiment(experiment, tmp_path / "work", tmp_path / "store.zarr")
    assert again == [s for s in stacks_of(experiment) if s != done[2]]
    assert "not what was written" in caplog.text
    first, second = (Manifest.read(manifest_path(f / "store.zarr")) for f in (folder, tmp_path))
    assert first == second


def test_other_code_continues_no_work(tmp_path, monkeypatch):
    experiment = CONFIG.experiment("grid", 0.5)

    def nothing(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "train_stack", nothing)
    for code in ("a", "b"):
        with pytest.raises(KeyboardInterrupt):
            train_experiment(experiment, tmp_path / "work", tmp_path / "store.zarr", code=code)
    assert len(list((tmp_path / "work").iterdir())) == 1


@pytest.mark.parametrize(("count", "steps"), [(2, 1), (5, 4), (20, 19), (20, 100), (60, 7000)])
def test_checkpoints_are_as_many_as_asked_for(count, steps):
    found = checkpoints_of(count, steps)
    assert len(found) == count
    assert (found[0], found[-1]) == (0, steps)
    assert all(np.diff(found) > 0)


def test_what_diverges_is_noted(tmp_path, caplog):
    wild = {"Wild": {"algorithm": "sgd", "learning_rate": 1e30}}
    config = CONFIG.model_copy(update={"seeds": 1})
    config = SyntheticConfig(**{**config.model_dump(), "optimisers": wild, "networks": {"A": [8]}})
    train_experiment(config.experiment("grid", 0.5), tmp_path / "work", tmp_path / "store.zarr")
    store = xr.open_zarr(tmp_path / "store.zarr")
    assert (store["diverged_step"] > 0).all()
    assert np.isnan(store["train_error"][:, -1]).all()
    assert "A, Wild, batch 20, seed 0 diverged at step" in caplog.text


def test_arrays_that_were_kept_are_not_computed_again(tmp_path):
    def never():
        raise AssertionError

    keep(tmp_path / "a", lambda: {"x": np.arange(3)})
    assert keep(tmp_path / "a", never)["x"].tolist() == [0, 1, 2]


STUDENTS = StudentsConfig(
    teacher_widths=[10, 20], student_widths=[4, 32], features=8, classes=3, train_size=40,
    test_size=20, seeds=2, batch_size=10, epochs=60, learning_rate=0.05,
)  # fmt: skip


def test_students_interpolate_if_they_are_large(tmp_path):
    found = train_students(STUDENTS, 0.5, tmp_path)
    table = found["students"]
    assert len(table) == 2 * 2 * 2
    assert (table.query("student_width == 32")["train_error"] == 0).all()
    assert table["test_error"].between(0, 0.8).all()
    again = train_students(STUDENTS, 0.5, tmp_path)
    assert all(again[name].equals(found[name]) for name in found)


def test_spectra_are_of_the_widest_student_that_is_not_too_wide(tmp_path, monkeypatch):
    monkeypatch.setattr(students, "ANALYSED", 31)
    found = train_students(STUDENTS, 0.5, tmp_path)
    spectra, slopes = found["student_spectra"], found["student_sloppiness"]
    assert set(spectra["student_width"]) == set(slopes["student_width"]) == {4}
    assert set(spectra["matrix"]) >= {"input", "activations", "gradients", "fisher", "hessian"}
    # The inputs are those that all students see.
    train, _ = load(features=8, decay=0.5, classes=3, teacher_width=10, train_size=40,
                    test_size=20, seed=STUDENTS.data_seed)  # fmt: skip
    inputs = spectra[spectra["matrix"] == "input"]["eigenvalue"].to_numpy()
    np.testing.assert_allclose(inputs, input_spectrum(train.images)["eigenvalue"], rtol=1e-5)
    assert slopes.set_index("matrix").loc["hessian", "eigenvalues"] == 8 * 4 + 4 + 4 * 3 + 3
    # It is the first teacher's and the first seed.
    one = STUDENTS.model_copy(update={"teacher_widths": (10,), "seeds": 1})
    alone = train_students(one, 0.5, tmp_path / "other")["student_sloppiness"]
    np.testing.assert_allclose(alone["largest"], slopes["largest"], rtol=1e-2)


def test_students_are_reduced_if_their_fisher_matrix_can_be_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(students, "DENSE", 300)
    found = train_students(STUDENTS, 0.5, tmp_path)
    models, critical = found["student_reduction"], found["student_critical"]
    assert set(models["student_width"]) == {4} and critical["seed"].tolist() == [0, 1]
    assert set(models["parameters"]) == {8 * 4 + 4 + 4 * 3 + 3}
    whole = models.groupby("seed").last()
    assert (whole["kept"] == whole["parameters"]).all()
    known = found["students"].query("teacher_width == 10 and student_width == 4")
    for error in ("train_error", "test_error"):  # the Fisher matrix is of all 40 samples
        np.testing.assert_allclose(whole[error], known[error])
    assert critical["stiff_fraction"].nunique() == 1  # the inputs of all
    assert critical["critical_fraction"].between(0, 1).all()
    monkeypatch.setattr(students, "DENSE", 50)
    larger = train_students(STUDENTS, 0.5, tmp_path / "other")
    assert larger["student_reduction"].empty and larger["student_critical"].empty


def test_of_students_that_diverge_there_are_no_spectra(tmp_path):
    wild = STUDENTS.model_copy(update={"learning_rate": 1e30, "student_widths": (4,)})
    found = train_students(wild, 0.5, tmp_path)
    assert found["students"]["test_error"].isna().all()
    assert found["student_spectra"].empty
    assert found["student_sloppiness"].empty
    assert found["student_reduction"].empty and found["student_critical"].empty
    assert "eigenvalue" in found["student_spectra"]


def test_students_of_another_teacher_change_nothing(tmp_path):
    """Of one teacher alone, they are those of the stack of two."""
    both = train_students(STUDENTS, 0.5, tmp_path)["students"]
    one = STUDENTS.model_copy(update={"teacher_widths": (20,)})
    alone = train_students(one, 0.5, tmp_path / "other")["students"]
    some = both.query("teacher_width == 20").reset_index(drop=True)
    np.testing.assert_allclose(alone["test_error"], some["test_error"], atol=0.051)
