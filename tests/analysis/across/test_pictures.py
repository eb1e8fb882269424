"""Studies that share samples, put together."""

import numpy as np
import pytest

from hyperribbon.analysis.across import pictures
from hyperribbon.analysis.across.pictures import pictures_of
from hyperribbon.analysis.study import Study


@pytest.fixture
def studies(make_study):
    train, test = np.arange(200), np.arange(300, 400)
    some = {"train": train[::-2], "test": test}
    return {
        "a": make_study({"train": train, "test": test}),
        "b": make_study(some, seed=1, image_size=16),
        "c": make_study({"train": train, "test": test}, seed=2, name="other"),
    }


def test_studies_of_one_source_share_a_picture(studies):
    (picture,), apart = pictures_of({"a": studies["a"], "b": studies["b"]})
    assert apart == []
    assert picture.names == ("a", "b")
    assert picture.study.name == "a + b"
    assert picture.about == (
        "a and b share 100 train samples (of 200 (a), 100 (b)) and 100 test samples (all of them).",
        "Their networks do not see them alike: data.image_size is 8 (a), 16 (b).",
    )


def test_models_of_a_picture_are_on_the_same_samples(studies):
    """The second study has them in another order; a distance between studies would show it."""
    (picture,), _ = pictures_of({"a": studies["a"], "b": studies["b"]})
    P = [np.asarray(part[:]) for part in picture.study.geometry("train").trajectories]
    ours = studies["a"].predictions("train").values
    theirs = studies["b"].predictions("train").values
    np.testing.assert_array_equal(np.concatenate(P[:2]), ours[:, 1::2])
    np.testing.assert_array_equal(np.concatenate(P[2:]), theirs[:, ::-1])
    assert picture.study.labels("train").tolist() == studies["b"].labels("train")[::-1].tolist()


def test_studies_that_share_nothing_are_apart_and_it_is_said_why(studies, make_study):
    studies["c"].geometry().models._data["name"] = "else"
    found, apart = pictures_of(studies)
    assert [picture.names for picture in found] == [("a", "b"), ("c",)]
    assert apart == [
        "c is not in one picture with a and b: of other data (data.name = else, not made)."
    ]
    assert found[1].about == ("c has 200 train samples and 100 test samples.",)


def test_a_third_study_shares_what_all_share(studies, make_study):
    studies["c"] = make_study({"train": np.arange(50, 400)}, seed=4)
    (picture,), apart = pictures_of(studies)
    assert apart == []
    assert picture.study.splits == ("train",)
    assert picture.about[0] == ("a, b and c share 75 train samples (of 200 (a), 100 (b), 350 (c)).")
    assert picture.about[1] == "They do not share test samples (c: no test predictions)."


def test_too_few_common_samples_are_not_shared(studies, make_study):
    other = {"train": np.arange(180, 300), "test": np.arange(100)}
    found, apart = pictures_of({"a": studies["a"], "b": make_study(other)})
    assert len(found) == 2
    assert apart == [
        "b is not in one picture with a: train: only 20 train samples in common, fewer than 50; "
        "test: other samples of made."
    ]


def test_few_samples_are_enough_if_they_are_all(predictions):
    labels = np.arange(24) % 3
    one, other = (Study.from_arrays({"n": P}, labels) for P in predictions["train"].values())
    (picture,), _ = pictures_of({"one": one, "other": other})
    assert picture.about == ("one and other share 24 train samples (all of them).",)
    more = Study.from_arrays({"n": predictions["train"]["Net"]}, (labels + 1) % 3)
    _, (sentence,) = pictures_of({"one": one, "more": more})
    assert sentence == "more is not in one picture with one: other labels: sample 0 has 1, not 0."


def test_many_models_are_thinned_and_it_is_said(studies, monkeypatch):
    monkeypatch.setattr(pictures, "MODELS", 14)
    (picture,), _ = pictures_of({"a": studies["a"], "c": studies["c"]})
    counts = picture.study.models.groupby("study").size().to_dict()
    assert counts == {"a": 6, "c": 6}
    assert picture.about[-1] == (
        "Models, evenly spaced along each training: 6 of 12 of a, 6 of 12 of c."
    )


def test_images_are_those_of_the_shared_samples(studies):
    of_a = np.arange(200)[:, None, None] * np.ones((1, 4, 4))
    models = studies["a"].geometry().models
    a = Study(models, "a", images={"train": of_a})
    (picture,), _ = pictures_of({"a": a, "b": studies["b"]})
    images = picture.study.images("train")
    assert images.shape == (100, 4, 4)
    assert images.oindex[np.array([0, 99])][:, 0, 0].tolist() == [1, 199]
    assert picture.study.images("test") is None
