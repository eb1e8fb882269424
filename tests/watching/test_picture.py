"""Placement and embeddings of models that come one after another."""

import numpy as np
import pytest

import hyperribbon as hr
from hyperribbon.errors import DataError
from hyperribbon.pairwise import FLOOR, pairwise_distance
from hyperribbon.watching import references as module
from hyperribbon.watching.picture import Picture, embed
from hyperribbon.watching.references import References

N, C = 30, 4
LABELS = np.arange(N) % C


@pytest.fixture(scope="module")
def models(random_models):
    """40 models (N, C) on their ways from ignorance to the truth."""
    line = hr.geodesic(hr.ignorance(N, C), hr.truth(LABELS, C), np.linspace(0, 0.9, 40))
    return (0.7 * line + 0.3 * random_models(3, 40, N, C)).astype(np.float32)


def refitted(picture: Picture) -> Picture:
    fitting = picture.fitting()
    assert picture.show(embed(fitting), fitting)
    return picture


def test_incremental_distances_are_those_of_the_engine(models):
    references = References(N, C, LABELS)
    for some in np.split(models, [1, 2, 20, 33]):
        references.add(some)
    expected = pairwise_distance(models, floor=FLOOR, threads=1)
    np.testing.assert_array_equal(references.distance, expected)
    references.remove([0, 7, 8])
    references.add(models[[8, 0, 7, 7]])
    order = [*(k for k in range(40) if k not in (0, 7, 8)), 8, 0, 7, 7]
    rows = np.asarray(references.of_slot)
    assert sorted(rows) == list(range(41))
    np.testing.assert_array_equal(
        references.distance, pairwise_distance(models[order], floor=FLOOR, threads=1)[:, rows]
    )


def test_the_geodesic_is_compared_with_every_reference(models):
    references = References(N, C, LABELS)
    for model in models[:5]:
        references.add(model[None])
    ends = hr.ignorance(N, C), hr.truth(LABELS, C)
    curve = hr.geodesic(*ends, np.linspace(0, 1, module.POINTS)).astype(np.float32)
    np.testing.assert_array_equal(
        references.curve, pairwise_distance(curve, models[:5], floor=FLOOR, threads=1)
    )


def test_placement_is_that_of_inpca_transform(models):
    picture = Picture(References(N, C))
    picture.add(models[:30])
    assert np.isnan(picture.coordinates).all()
    refitted(picture)
    picture.add(models[30:])
    inpca = hr.InPCA(3).fit(models[:30])
    np.testing.assert_allclose(picture.coordinates[:30], inpca.embedding_, atol=1e-9)
    np.testing.assert_allclose(picture.coordinates[30:], inpca.transform(models[30:]), atol=1e-9)


def test_a_fresh_embedding_is_that_of_inpca_turned_to_where_models_were(models):
    picture = Picture(References(N, C))
    picture.add(models[:35])
    refitted(picture).add(models[35:])
    before = picture.coordinates
    after = refitted(picture).coordinates
    inpca = hr.InPCA(3).fit(models)
    found = hr.align(after, inpca.embedding_, inpca.signature_)
    assert found.rmsd < 1e-9  # a turn of it
    turned = hr.align(inpca.embedding_, before, inpca.signature_)
    np.testing.assert_allclose(after, turned.aligned, atol=1e-9)
    assert turned.rmsd < 0.2 * np.abs(before).max()  # no jump


def test_what_is_placed_badly_makes_an_embedding_due(models, random_models, monkeypatch):
    monkeypatch.setattr("hyperribbon.watching.picture.SMALL", 0)
    picture = Picture(References(N, C))
    assert not picture.is_due()
    picture.add(models[:30])
    assert picture.is_due()
    refitted(picture)
    assert not picture.is_due()
    picture.add(models[10:11])  # where others are
    assert not picture.is_due()
    picture.add(random_models(5, 2, N, C, spread=0.05))  # where none is
    assert picture.is_due()


def test_removed_references_leave_the_picture_as_it_is_until_the_next_embedding(models):
    picture = refitted_after_adding(models[:20])
    before = picture.coordinates
    inpca = hr.InPCA(3).fit(models[:20])
    left = picture.remove([3, 4])
    np.testing.assert_array_equal(picture.coordinates, before[left])
    assert picture.is_due()
    picture.add(models[20:22])
    np.testing.assert_allclose(picture.coordinates[-2:], inpca.transform(models[20:22]), atol=1e-9)
    stale = picture.fitting()
    picture.remove([0])
    assert not picture.show(embed(stale), stale)


def refitted_after_adding(models) -> Picture:
    picture = Picture(References(models.shape[1], models.shape[2]))
    picture.add(models)
    return refitted(picture)


def test_more_models_than_references(models, monkeypatch):
    monkeypatch.setattr(module, "MOST", 20)
    references = References(N, C, LABELS)
    references.add(models[:30])
    references.add(models[30:38])
    full = pairwise_distance(models, floor=FLOOR, threads=1)
    np.testing.assert_array_equal(references.distance, full[:38, :20])
    read = models.__getitem__
    renewed = references.renew(np.array([25, 30, 37]), read, lambda: False)
    references.add(models[38:])
    references.exchange(renewed, read)
    assert {25, 30, 37} < set(references.of_slot)
    assert len(set(references.of_slot)) == 20
    np.testing.assert_array_equal(references.distance, full[:, references.of_slot])
    assert references.renew(np.array([1]), read, lambda: True) is None


def test_few_or_equal_models_are_embedded_too(models):
    for some in (models[:2], models[[4, 4, 4]]):
        picture = refitted_after_adding(some)
        assert np.isfinite(picture.coordinates).all()
        assert picture.coordinates.shape == (len(some), 3)


def test_invalid_models_change_nothing(models):
    picture = refitted_after_adding(models[:5])
    before = picture.references.distance.copy()
    for bad in (np.full((1, N, C), np.nan), models[:1, :-1]):
        with pytest.raises(DataError, match="P: "):
            picture.add(bad)
    np.testing.assert_array_equal(picture.references.distance, before)
    picture.add(models[5:6])
    np.testing.assert_array_equal(
        picture.references.distance, pairwise_distance(models[:6], floor=FLOOR, threads=1)
    )


def test_models_too_large_to_hold_a_few_are_refused():
    with pytest.raises(DataError, match="2,000,000 samples of 50 classes, 400 MB per checkpoint"):
        References(2_000_000, 50)
