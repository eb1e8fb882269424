"""Token predictions of large vocabularies: in half precision, in parts, and of few classes."""

import numpy as np
import pytest
import xarray as xr
import zarr

import hyperribbon as hr
from hyperribbon.errors import ConfigError, DataError, StoreError
from hyperribbon.recording import shards
from hyperribbon.recording.external import find_recorded

N, T, C, K = 4, 6, 40, 5
RNG = np.random.default_rng(0)
INPUTS = np.arange(N)
LABELS = RNG.integers(C, size=(N, T))
LABELS[:, -1] = -100
LOGITS = 3 * RNG.normal(size=(7, N, T, C))
COUNTED = LABELS != -100
P = np.exp(LOGITS[:, COUNTED]) / np.exp(LOGITS[:, COUNTED]).sum(-1, keepdims=True)
TOKENS = [chr(65 + c) for c in range(C)]


@pytest.fixture
def record(tmp_path):
    """Function recording steps of the logits; returns the store."""

    def make(name="net", steps=range(7), **options):
        path = tmp_path / f"{name}.zarr"
        with hr.Recorder(path, INPUTS, LABELS, network=name, n_classes=C, **options) as rec:
            for step in steps:
                rec.checkpoint(lambda batch, step=step: LOGITS[step, batch], step)
        return path

    return make


@pytest.fixture
def small_parts(monkeypatch):
    """Checkpoints of more than 1 kB are shards, of parts of three samples."""
    monkeypatch.setattr(shards, "_LARGE", 1000)
    monkeypatch.setattr(shards, "_PART", 3 * C * 2)


def distances(path):
    return np.asarray(hr.Study.from_runs(path).distances())


# Half precision


def test_half_precision_is_near_and_normalised(record):
    study = hr.Study.from_runs(record(form="sqrt_float16"))
    stored = study.geometry().predictions[:]
    np.testing.assert_allclose(stored.sum(-1), 1, atol=1e-6)
    own = -np.log(np.sqrt(P * stored.astype(float)).sum(-1))
    assert 0 < own.max() <= 2**-23
    D = hr.pairwise_distance(P)
    assert np.abs(np.asarray(study.distances()) - D).max() <= 2**-10
    np.testing.assert_array_equal(study.models.train_loss, hr.Study.from_runs(
        record("full")).models.train_loss)  # fmt: skip


def test_large_checkpoints_are_one_file_read_in_parts(record, small_parts):
    path = record(form="sqrt_float16")
    array = zarr.open_array(path / "train_sqrt_predictions", mode="r")
    assert (array.chunks, array.shards) == ((1, 1, 3, C), (1, 1, 21, C))
    files = [file for file in (path / "train_sqrt_predictions" / "c").rglob("*") if file.is_file()]
    assert len(files) == 7
    stored = xr.open_zarr(path).train_sqrt_predictions[0].values
    np.testing.assert_array_equal(stored, np.sqrt(P.astype(np.float32)).astype(np.float16))


@pytest.mark.parametrize("form", ["float32", "sqrt_float16"])
def test_a_store_of_whole_checkpoints_is_continued_as_it_is(record, form, monkeypatch):
    record(steps=range(3), form=form)
    monkeypatch.setattr(shards, "_LARGE", 1000)
    path = record(steps=range(3, 7), form=form)
    atol = 1e-6 if form == "float32" else 2**-10
    np.testing.assert_allclose(distances(path), hr.pairwise_distance(P), atol=atol)


def test_another_form_or_metric_is_refused(record):
    path = record(steps=range(3), form="sqrt_float16")
    with pytest.raises(StoreError, match='form = "sqrt_float16", given null'):
        record(steps=range(3, 5))
    with pytest.raises(ConfigError, match='form = "half": expected "float32" or "sqrt_float16"'):
        record("other", form="half")
    with pytest.raises(StoreError, match="half precision.* for symmetric_kl, record in form"):
        hr.Study.from_runs(path).distances(metric="symmetric_kl")


def test_probabilities_that_float16_rounds_to_0_are_refused(tmp_path):
    rows = np.full((1, 2, 5000), 1 / 5000)
    for dtype in (np.float32, np.float16):
        given = {"predictions": rows.astype(dtype), "labels": [0, 1], "network": "Net"}
        if dtype == np.float16:
            with pytest.raises(DataError, match="5000 classes in float16, .* 0.00015 of a sample"):
                hr.record_predictions(tmp_path / "16", **given)
        else:
            hr.record_predictions(tmp_path / "32", **given, form="sqrt_float16")


# Few classes of many


def test_top_classes_are_the_true_one_and_the_likeliest():
    reference = RNG.normal(size=(N, T, C))
    top = hr.top_classes(reference, LABELS, K)
    for row, scores, label in zip(top, reference[COUNTED], LABELS[COUNTED], strict=True):
        others = [c for c in np.argsort(-scores) if c != label]
        assert row.tolist() == [label, *others[: K - 1]]
    counts = np.arange(C)
    np.testing.assert_array_equal(
        hr.top_classes(counts, LABELS, K),
        hr.top_classes(np.broadcast_to(counts, (N, T, C)), LABELS, K),
    )


@pytest.mark.parametrize("form", ["float32", "sqrt_float16"])
def test_what_is_recorded_are_exact_distributions_of_few_classes(record, form):
    top = hr.top_classes(P[3].mean(0), LABELS, K)
    full = hr.Study.from_runs(record("full"))
    few = hr.Study.from_runs(record("few", top_classes=top, form=form))
    kept = np.take_along_axis(P, np.repeat(top[None], 7, 0), axis=2)
    expected = np.concatenate([kept, 1 - kept.sum(-1, keepdims=True)], axis=2)
    atol = 1e-6 if form == "float32" else 1e-3
    np.testing.assert_allclose(few.geometry().predictions[:], expected, atol=atol)
    np.testing.assert_allclose(few.models.train_loss, full.models.train_loss, rtol=1e-6)
    np.testing.assert_array_equal(few.models.train_error, full.models.train_error)
    # Ignorance is that of all classes, coarse-grained.
    prior = np.array([1 / C] * K + [1 - K / C])
    progress = hr.progress(expected, np.zeros(N * (T - 1), int), prior=prior)
    np.testing.assert_allclose(few.progress(), progress, atol=1e-2 if form != "float32" else 1e-5)
    bounds = hr.distance_bounds(few.geometry().predictions)
    D = hr.pairwise_distance(P)
    assert (bounds.lower <= D + atol).all() and (bounds.upper + atol >= D).all()


def test_the_remainder_holds_the_likeliest(tmp_path):
    """The error is that of all classes, though the largest probability is not kept."""
    rows = np.log([[0.3, 0.1, 0.2, 0.4], [0.3, 0.1, 0.35, 0.25]])
    top = np.array([[0, 1], [0, 2]])
    with hr.Recorder(
        tmp_path / "net", np.arange(2), [0, 0], network="Net", n_classes=4, top_classes=top
    ) as rec:
        rec.checkpoint(lambda batch: rows[batch] + [[0], [0]], 0)
        rec.checkpoint(lambda batch: rows[batch] + [[0.5, 0, 0, 0]], 1)
    errors = hr.Study.from_runs(tmp_path / "net.zarr").models.train_error
    assert errors.tolist() == [1, 0]


TOP = hr.top_classes(np.arange(C), LABELS, K)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"top_classes": TOP[:3]}, r"top_classes: shape \(3, 5\) of int32, expected integers \(20"),
        ({"top_classes": TOP[:, ::-1]}, "top_classes: row 0 begins with class .*, expected the tr"),
        ({"top_classes": TOP[:, [0, 1, 1]]}, "top_classes: a row has a class twice"),
        ({"top_classes": TOP + C}, "top_classes: from 4. to .*, expected 0 to 39"),
        ({"top_classes": TOP, "n_classes": None}, "top_classes: needs n_classes"),
        ({"top_classes": TOP, "features": lambda *_: 0}, "top_classes: given with features"),
        ({"vocabulary": TOKENS[1:]}, "vocabulary: 39 tokens, expected n_classes = 40"),
        ({"vocabulary": "abc"}, "vocabulary: of type str"),
        ({"vocabulary": {"a": 0, "b": 2}, "n_classes": None}, "vocabulary: a mapping of 2 tokens"),
        ({"vocabulary": ["a"] * C}, "vocabulary: 'a' occurs twice"),
        ({"vocabulary": [*range(C)]}, "vocabulary: 0, expected text"),
    ],
    ids=range(11),
)
def test_what_fits_no_vocabulary_is_refused(tmp_path, options, words):
    with pytest.raises((ConfigError, DataError), match=words) as error:
        hr.Recorder(tmp_path / "a", INPUTS, LABELS, **{"network": "Net", "n_classes": C, **options})
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ((np.arange(3.0), LABELS, 2), "labels: from"),
        ((np.ones((2, C)), LABELS, 2), r"reference: shape \(2, 40\), expected \(classes,\) or"),
        ((np.full(C, np.nan), LABELS, 2), "reference: entries that are not finite"),
        ((np.ones(C), LABELS, C), "k = 40"),
        ((np.ones(2), ["a", "b"], 1), "labels: names"),
    ],
)
def test_what_is_no_reference_is_refused(given, words):
    with pytest.raises(DataError, match=words):
        hr.top_classes(*given)


# Recordings that do not fit each other


def test_other_classes_and_vocabularies_are_refused_in_one_line(record):
    steps = {"steps": [0]}
    other = TOP.copy()
    other[0, 1:] = np.setdiff1d(np.arange(C), TOP[0])[: K - 1]
    full, few = record("full", **steps), record("few", **steps, top_classes=TOP)
    fewer = record("fewer", **steps, top_classes=TOP[:, :3])
    others = record("others", **steps, top_classes=other)
    swapped = [*TOKENS[:7], TOKENS[8], TOKENS[7], *TOKENS[9:]]
    a, b = record("a", **steps, vocabulary=TOKENS), record("b", **steps, vocabulary=swapped)
    mapped = record("m", **steps, vocabulary={token: c for c, token in enumerate(TOKENS)})
    for pair, words in (
        ([full, few], "few.zarr: 5 of 40 classes, expected those of .*full.zarr, 40 classes"),
        ([few, fewer], "fewer.zarr: 3 of 40 classes, expected .* 5 of 40 classes"),
        ([few, others], "others.zarr: other classes are kept of the train samples than in .*few"),
        ([a, b], "b.zarr: class 7 is the token 'I', in .*a.zarr 'H'; expected one vocabulary"),
    ):
        with pytest.raises(StoreError, match=words) as error:
            hr.Study.from_runs(pair)
        assert "\n" not in str(error.value)
    study = hr.Study.from_runs([full, a, mapped])  # one vocabulary, as far as is known
    assert study.class_names == TOKENS
    with pytest.raises(StoreError, match="top_classes_sha256"):
        record("few", steps=[1], top_classes=other)
    with pytest.raises(StoreError, match="vocabulary_sha256"):
        record("a", steps=[1], vocabulary=swapped)


def test_a_study_of_the_workflow_takes_all_classes(tmp_path):
    top = hr.top_classes(np.arange(C), LABELS, K)
    both = {"test_inputs": INPUTS, "test_labels": LABELS, "test_top_classes": top}
    with hr.Recorder(
        tmp_path / "net", INPUTS, LABELS, network="Net", n_classes=C, top_classes=top, **both
    ) as rec:
        rec.checkpoint(lambda batch: LOGITS[0, batch], 0)
    with pytest.raises(StoreError, match="recorded with top_classes.*Study.from_runs"):
        find_recorded([str(tmp_path / "net.zarr")])
