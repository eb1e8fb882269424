import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import zarr
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from hyperribbon.errors import DataError
from hyperribbon.pairwise import METRICS, cpu, pairwise_distance
from hyperribbon.storage.manifest import Manifest
from hyperribbon.studies.manifold import incremental_distance as growth
from hyperribbon.studies.manifold.incremental_distance import grow, grow_across

OPTIONS = {"code": "1", "floor": 1e-30, "threads": 2}


class Pool:
    """Trainings of 1 to 20 models, among them two with equal predictions."""

    def __init__(self, random_models):
        lengths = [1, 20, 7, 7, 13, 2, 16, 5]
        made = [random_models(k, n, 25, 4, spread=0.1).astype("f4") for k, n in enumerate(lengths)]
        self.trainings = [*made, made[1]]

    def __len__(self):
        return len(self.trainings)

    def of(self, which):
        models = [self.trainings[k] for k in which]
        return models, [hashlib.sha256(P.tobytes()).hexdigest() for P in models]

    def expected(self, which):
        return pairwise_distance(np.concatenate(self.of(which)[0]), floor=1e-30)

    def grown(self, work, which, **options):
        return grow(work, *self.of(which), **OPTIONS | options)


@pytest.fixture(scope="session")
def pool(random_models):
    return Pool(random_models)


@pytest.fixture(autouse=True)
def small_tiles(monkeypatch):
    for name, value in (("_LEAST", 4), ("_MOST", 8), ("_TILES", 3)):
        monkeypatch.setattr(growth, name, value)


@pytest.fixture
def computed(monkeypatch):
    """List of the numbers of pairs that were computed, tile by tile."""
    pairs, add = [], cpu.CompiledKernel.add

    def counting(self, A, B, total):
        n, k = total.shape
        pairs.append(n * k if B is not None else n * (n + 1) // 2)
        add(self, A, B, total)

    monkeypatch.setattr(cpu.CompiledKernel, "add", counting)
    return pairs


def read(folder):
    return zarr.open_array(folder / "distance", mode="r")[:]


def files(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@given(
    steps=st.lists(
        st.lists(st.integers(0, 8), min_size=1, max_size=9, unique=True), min_size=1, max_size=4
    )
)
@example(steps=[[1, 3, 4], [1, 3, 6, 4], [8, 4, 1], [0]])  # grown, in another order, shrunk; twins
@settings(
    deadline=None, max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_grown_is_the_same_as_from_nothing(pool, computed, tmp_path_factory, steps):
    """Trainings added, removed, put in another order, in any sequence: to the last bit."""
    work = tmp_path_factory.mktemp("work")
    before = set()
    for which in steps:
        computed.clear()
        folder = pool.grown(work, which)
        digests = set(pool.of(which)[1])
        if digests <= before and len(digests) == len(which):
            assert not computed
        before = digests
        fresh = pool.grown(tmp_path_factory.mktemp("fresh"), which)
        assert files(folder) == files(fresh)
        np.testing.assert_array_equal(read(folder), pool.expected(which))
        assert [path for path in work.iterdir() if path.is_dir()] == [folder]


def test_only_new_pairs_are_computed(pool, computed, tmp_path):
    pool.grown(tmp_path, [1, 3, 4])
    assert sum(computed) == 40 * 41 // 2
    computed.clear()
    pool.grown(tmp_path, [1, 3, 6, 4])  # 16 models in between
    assert sum(computed) == 40 * 16 + 16 * 17 // 2
    computed.clear()
    pool.grown(tmp_path, [4, 6, 1])  # one less, in another order
    pool.grown(tmp_path, [4, 6, 1])
    assert not computed


def test_tiles_of_the_same_models_are_linked(pool, tmp_path):
    old = pool.grown(tmp_path, [6, 1])
    before = {path: path.stat().st_ino for path in (old / "distance" / "c").rglob("*/*")}
    new = pool.grown(tmp_path, [6, 1, 4])
    kept = [
        path
        for path, inode in before.items()
        if (new / path.relative_to(old)).stat().st_ino == inode
    ]
    assert len(kept) == 4**2  # of 5 blocks a side, the last one half full
    assert not old.exists()


def test_what_another_code_computed_is_not_used(pool, computed, tmp_path):
    for options in ({}, {"code": "2"}, {"floor": 1e-20}, {"metric": "geodesic"}):
        computed.clear()
        pool.grown(tmp_path, [2, 3], **options)
        assert sum(computed) == 14 * 15 // 2
        assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.slow
def test_killed_at_any_tile_it_goes_on(preloaded, tmp_path):
    run = preloaded.run("killed_growth", tmp_path, folder=Path(__file__).parent)
    assert run.returncode == 0, run.stdout + run.stderr


def test_an_interrupted_matrix_serves_another_one(pool, computed, tmp_path, monkeypatch):
    pool.grown(tmp_path, [1, 4])
    write = growth.Matrix.write

    def failing(self, r, c, D):
        if c == 5:
            raise OSError(28, "No space left on device")
        write(self, r, c, D)

    with monkeypatch.context() as patch:
        patch.setattr(growth.Matrix, "write", failing)
        with pytest.raises(OSError, match="No space"):
            pool.grown(tmp_path, [1, 4, 6])
    which = [4, 6, 1, 5]  # not what was interrupted
    expected = pool.expected(which)
    computed.clear()
    folder = pool.grown(tmp_path, which)
    np.testing.assert_array_equal(read(folder), expected)
    assert sum(computed) <= 33 * 18 + 18 * 19 // 2


@pytest.mark.parametrize("published", [True, False])
@pytest.mark.parametrize("damage", ["flipped", "cut", "empty", "missing", "swapped"])
def test_damaged_tiles_alone_are_computed_again(pool, computed, tmp_path, published, damage):
    if damage == "swapped" and not published:
        pytest.skip("a whole chunk of another place: only a manifest tells")
    which = [1, 6, 4]
    folder = pool.grown(tmp_path, which)
    if published:
        store = tmp_path / "published"
        store.mkdir()
        (folder / "distance").rename(store / "distance")
        Manifest.of(store).write(tmp_path / "published.json")
        (store / "distance").rename(folder / "distance")
        store.rmdir()
        growth.keep_manifest(folder, tmp_path / "published.json")
    chunk = folder / "distance" / "c" / "1" / "4"
    content = bytearray(chunk.read_bytes())
    content[100] ^= 1
    if damage == "missing":
        chunk.unlink()
    else:
        other = folder / "distance" / "c" / "2" / "3"
        chunk.write_bytes(
            {
                "flipped": content,
                "cut": content[:-9],
                "empty": b"",
                "swapped": other.read_bytes(),
            }[damage]
        )
    expected = pool.expected([*which, 0])
    computed.clear()
    again = pool.grown(tmp_path, which)
    np.testing.assert_array_equal(read(again), expected[:-1, :-1])
    assert sum(computed) == 8 * 8
    # And when it is noticed while growing.
    chunk.unlink()
    chunk.write_bytes(b"nothing")
    computed.clear()
    grown = pool.grown(tmp_path, [*which, 0])
    np.testing.assert_array_equal(read(grown), expected)
    assert sum(computed) <= 8 * 8 + 50


def test_damaged_descriptions_are_written_anew(pool, computed, tmp_path):
    which = [1, 6, 4]
    folder = pool.grown(tmp_path, which)
    expected = read(folder)
    whole = files(folder)
    for name in ("distance/zarr.json", "rows.json"):
        (folder / name).write_text("{")
        computed.clear()
        assert files(pool.grown(tmp_path, which)) == whole
        assert not computed
    (folder / "rows.json").write_text("{")
    np.testing.assert_array_equal(read(pool.grown(tmp_path, which[:2])), expected[:36, :36])
    assert sum(computed) == 36 * 37 // 2


def test_small_memory_and_many_threads_do_not_matter(pool, tmp_path):
    expected = pool.expected([1, 6, 4])
    for k, options in enumerate(({"memory": 1000}, {"memory": 20_000}, {"threads": 5})):
        for which in ([1, 6], [1, 6, 4]):
            folder = pool.grown(tmp_path / str(k), which, **options)
        np.testing.assert_array_equal(read(folder), expected)


def test_rows_to_a_few_models_grow_too(pool, computed, tmp_path):
    path = tmp_path / "rows.npz"
    P = pool.trainings[2][:3].astype(float)

    def expected(which):
        return pairwise_distance(P, np.concatenate(pool.of(which)[0]), floor=1e-30)

    for which, new in (([1, 4], 33), ([4, 6, 1], 16), ([6, 4], 0), ([6, 4, 5], 2), ([1], 20)):
        want = expected(which)
        computed.clear()
        np.testing.assert_array_equal(grow_across(path, P, *pool.of(which), **OPTIONS), want)
        assert sum(computed) == 3 * new
    for options in ({"code": "2"}, {"metric": "geodesic"}):
        computed.clear()
        grow_across(path, P, *pool.of([1, 4]), **OPTIONS | options)
        assert sum(computed) == 3 * 33
    path.write_bytes(path.read_bytes()[:-100])
    np.testing.assert_array_equal(grow_across(path, P, *pool.of([1]), **OPTIONS), expected([1]))


def test_what_the_rows_are_is_written_down(pool, tmp_path):
    folder = pool.grown(tmp_path, [2, 5])
    content = json.loads((folder / "rows.json").read_text())
    _, digests = pool.of([2, 5])
    assert content["trainings"] == [[digests[0], 7], [digests[1], 2]]


def test_a_metric_that_no_kernel_computes_is_refused_before_there_is_work(
    pool, monkeypatch, tmp_path
):
    monkeypatch.setitem(METRICS, "new", METRICS["euclidean"]._replace(name="new", kernel="none"))
    message = "^metric = 'new': kernel = 'none': expected a function"
    with pytest.raises(DataError, match=message):
        pool.grown(tmp_path / "work", [1, 2], metric="new")
    P = pool.trainings[2][:3].astype(float)
    with pytest.raises(DataError, match=message):
        grow_across(tmp_path / "rows.npz", P, *pool.of([1, 4]), **OPTIONS | {"metric": "new"})
    assert not list(tmp_path.iterdir())


def test_a_metric_that_is_a_function_grows(pool, monkeypatch, tmp_path):
    metric = METRICS["euclidean"]._replace(name="new", kernel=lambda p, q: (p - q).square().sum(-1))
    monkeypatch.setitem(METRICS, "new", metric)
    for which in ([1, 4], [1, 6, 4]):
        folder = pool.grown(tmp_path, which, metric="new")
    expected = pairwise_distance(np.concatenate(pool.of(which)[0]), metric="euclidean")
    np.testing.assert_allclose(read(folder), expected, atol=1e-14)
