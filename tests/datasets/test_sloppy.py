"""Sloppy data: the spectrum of the inputs, the teacher, and what becomes of them."""

import inspect

import numpy as np
import pytest
import torch

from hyperribbon.data import Dataset, prepare, sloppy
from hyperribbon.data.sloppy import (
    Teacher,
    load,
    random_teacher,
    sloppy_eigenvalues,
    sloppy_inputs,
    teacher_labels,
)
from hyperribbon.errors import DataError


def test_eigenvalues_are_those_of_the_thesis():
    expected = [50 * 0.3 * np.exp(-0.3 * i) for i in (1, 2, 3, 4)]
    np.testing.assert_allclose(sloppy_eigenvalues(4, 0.3), expected, rtol=1e-14)


@pytest.mark.parametrize("decay", [0.001, 0.05, 0.5])
def test_the_trace_is_at_most_50(decay):
    total = sloppy_eigenvalues(200, decay).sum()
    exact = 50 * decay * (1 - np.exp(-200 * decay)) / np.expm1(decay)
    assert total == pytest.approx(exact, rel=1e-12)
    assert total < 50


@pytest.mark.parametrize("decay", [0.001, 0.5])
def test_inputs_have_the_spectrum(decay):
    n, d = 40_000, 12
    x = sloppy_inputs(n, d, decay, np.random.default_rng(0))
    scale = np.sqrt(sloppy_eigenvalues(d, decay))
    whitened = x / scale
    # Deviations of the entries of a sample covariance: sqrt(2/n) on the diagonal, sqrt(1/n) off.
    np.testing.assert_allclose(np.cov(whitened.T), np.eye(d), atol=5 * np.sqrt(2 / n))
    np.testing.assert_allclose(whitened.mean(axis=0), 0, atol=5 / np.sqrt(n))


def test_only_the_spectrum_differs_between_decays(monkeypatch):
    teachers = []

    def spied(*arguments):
        teachers.append(random_teacher(*arguments))
        return teachers[-1]

    monkeypatch.setattr(sloppy, "random_teacher", spied)
    first, second = (load(20, decay, train_size=100, test_size=30) for decay in (0.1, 0.5))
    for a, b in zip(*teachers, strict=True):
        np.testing.assert_array_equal(a, b)
    ratio = np.sqrt(sloppy_eigenvalues(20, 0.5) / sloppy_eigenvalues(20, 0.1))
    for a, b in zip(first, second, strict=True):
        np.testing.assert_allclose(a.images * ratio, b.images, rtol=1e-6)
        assert (a.labels != b.labels).any()


def test_labels_are_those_of_a_network_of_torch():
    x = np.random.default_rng(0).standard_normal((50, 8))
    teacher = random_teacher(8, 30, 4, np.random.default_rng(1))
    hidden, output = map(torch.from_numpy, teacher)
    logits = torch.relu(torch.from_numpy(x) @ hidden.T) @ output.T
    np.testing.assert_allclose(teacher.logits(x), logits.numpy(), rtol=1e-12, atol=1e-13)
    assert teacher_labels(x, teacher).tolist() == logits.argmax(dim=1).tolist()


def test_teacher_weights_scale_with_the_fan_in():
    hidden, output = random_teacher(400, 300, 50, np.random.default_rng(0))
    assert hidden.std() * np.sqrt(400) == pytest.approx(1, abs=0.01)
    assert output.std() * np.sqrt(300) == pytest.approx(1, abs=0.03)
    np.testing.assert_allclose(output.mean(axis=1), 0, atol=1e-15)


@pytest.mark.parametrize("decay", [0.001, 0.5])
@pytest.mark.parametrize("seed", range(5))
def test_no_class_dominates_and_none_is_rare(decay, seed):
    for part in load(decay=decay, seed=seed):
        share = np.bincount(part.labels, minlength=5) / len(part.labels)
        assert share.max() < 0.5
        assert share.min() > 0.02


def test_equal_arguments_give_equal_content_and_fewer_samples_are_the_first():
    first, again, fewer = load(seed=3), load(seed=3), load(seed=3, train_size=700)
    other = load(seed=4)
    for k, part in enumerate(first):
        np.testing.assert_array_equal(part.images, again[k].images)
        np.testing.assert_array_equal(part.labels, again[k].labels)
        assert (part.images != other[k].images).all()
    np.testing.assert_array_equal(first[0].images[:700], fewer[0].images)
    np.testing.assert_array_equal(first[0].labels[:700], fewer[0].labels)
    np.testing.assert_array_equal(first[1].images, fewer[1].images)
    assert (first[0].images[:1000] != first[1].images).all()  # test inputs are others


def test_a_class_without_samples_is_refused(monkeypatch):
    silent = Teacher(np.eye(2), np.array([[1.0, 1.0], [-1.0, -1.0]]))  # class 1 never wins
    monkeypatch.setattr(sloppy, "random_teacher", lambda *arguments: silent)
    with pytest.raises(DataError) as error:
        load(2, 0.5, classes=2, teacher_width=2, train_size=20, test_size=5, seed=7)
    assert "seed 7 gives none of 20 training samples class 1" in str(error.value)
    assert "\n" not in str(error.value)


def test_defaults_are_those_of_the_configuration(section):
    defaults = inspect.signature(load).parameters.items()
    assert section({"name": "sloppy"}).load_arguments == {k: p.default for k, p in defaults}


def test_a_section_becomes_a_store(section, tmp_path):
    config = section({"name": "sloppy", "features": 6, "train_size": 80, "test_size": 20})
    parts = load(**config.load_arguments)
    data = prepare(parts, config, tmp_path / "data.zarr", tmp_path / "work")
    assert Dataset.open(tmp_path / "data.zarr").sha256 == data.sha256
    assert (data.n_classes, data.input_shape) == (5, (6,))
    for split, part in zip(("train", "test"), parts, strict=True):
        raw, labels, index = data.split(split)
        np.testing.assert_array_equal(raw, part.images, strict=True)
        np.testing.assert_array_equal(labels, part.labels)
        np.testing.assert_array_equal(index, np.arange(len(labels)))
        assert torch.equal(data.as_input(torch.from_numpy(raw)), torch.from_numpy(part.images))
