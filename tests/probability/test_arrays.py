"""The door: what holds arrays, and what is refused there, at each public entry."""

import dask.array as da
import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import torch
import xarray as xr
import zarr

import hyperribbon as hr
from hyperribbon.analysis.lazy import lazy_array
from hyperribbon.errors import DataError
from hyperribbon.probability.arrays import as_numpy, sliceable
from hyperribbon.probability.distributions import as_distributions, read_rows, sum_tolerance

LABELS = np.arange(6) % 3
P = np.random.default_rng(0).dirichlet(np.ones(3), size=(4, 6))
ENTRIES = {
    "pairwise_distance": hr.pairwise_distance,
    "another metric": lambda X: hr.pairwise_distance(X, metric="euclidean"),
    "progress": lambda X: hr.progress(X, LABELS),
    "centroid": lambda X: hr.centroid(X, "geometric"),
    "geodesic": lambda X: hr.geodesic(X, P, 0.3),
    "projection": lambda X: hr.random_stochastic_projection(X, 2, 0),
    "resampling": lambda X: hr.resample_trajectory(X, LABELS, [0.2, 0.4]),
    "length": hr.trajectory_length,
    "InPCA": lambda X: hr.InPCA(2, random_state=0).fit(X).embedding_,
    "IsKL": lambda X: hr.IsKL(2, random_state=0).fit(X).embedding_,
}


class OnADevice:
    """As an array of CuPy: numpy cannot read it, who asks gets a copy."""

    def __init__(self, array):
        self._array, self.shape, self.dtype = array, array.shape, array.dtype

    def __getitem__(self, key):
        return OnADevice(self._array[key])

    def __array__(self, *args, **kwargs):
        raise TypeError("Implicit conversion to a NumPy array is not allowed.")

    def __dlpack__(self, **kwargs):
        raise BufferError("not on the CPU")

    def get(self):
        return self._array


def read_only(array):
    array = array.copy()
    array.flags.writeable = False
    return array


def dask_of(array, **options):
    return da.from_array(array, chunks=(2, *array.shape[1:]), **options)


HOLDERS = {
    "gradients": lambda X: torch.tensor(X, requires_grad=True),
    "a list of tensors": lambda X: [torch.tensor(x, requires_grad=True) for x in X],
    "a list of tables": lambda X: [pd.DataFrame(x) for x in X],
    "nullable tables": lambda X: [pd.DataFrame(x).astype("Float64") for x in X],
    "lists": np.ndarray.tolist,
    "nothing masked": np.ma.array,
    "dask, nothing masked": lambda X: dask_of(np.ma.array(X), asarray=False),
    "xarray": lambda X: xr.DataArray(X, dims=("model", "sample", "class")),
    "xarray of dask": lambda X: xr.DataArray(dask_of(X), dims=("model", "sample", "class")),
    "xarray, read on request": lambda X: lazy_array(zarr.array(X), ("m", "n", "c"), {}),
    "zarr": zarr.array,
    "another byte order": lambda X: X.astype(X.dtype.newbyteorder()),
    "long double": lambda X: X.astype(np.longdouble),
    "read-only": read_only,
    "negative strides": lambda X: X[::-1, :, ::-1].copy()[::-1, :, ::-1],
    "on a device": OnADevice,
}


@pytest.mark.parametrize("entry", ENTRIES)
def test_whatever_holds_the_models(entry):
    expected = ENTRIES[entry](P)
    for name, hold in HOLDERS.items():
        found = ENTRIES[entry](hold(P))
        np.testing.assert_allclose(found, expected, atol=1e-12, err_msg=name)


MASKED = np.ma.array(P, mask=np.arange(P.size).reshape(P.shape) == P.size - 1)
REFUSED = {
    "masked": (lambda: MASKED, "1 of 72 entries masked, expected none"),
    "dask": (lambda: dask_of(MASKED, asarray=False), "1 of .* entries masked, expected none"),
    "list": (lambda: list(MASKED), "1 of 18 entries masked, expected none"),
    "meta": (lambda: torch.empty(P.shape, device="meta"), "a tensor on the meta device"),
    "complex": (lambda: P.astype(complex), "entries of type complex128, expected real numbers"),
    "tensor": (
        lambda: torch.tensor(P).to(torch.complex64),
        "entries of type complex64, expected real",
    ),
    "unknown": (
        lambda: dask_of(P)[dask_of(np.arange(4)) > 1],
        r"dask array of unknown shape .*compute_chunk_sizes\(\)",
    ),
    "layout": (lambda: torch.tensor(P).to_sparse(), r"layout torch.sparse_coo.*to_dense\(\)"),
    "sparse": (lambda: scipy.sparse.csr_array(P[0]), r"a sparse matrix; call its toarray\(\)"),
    "NA": (
        lambda: [pd.DataFrame(p).astype("Float64").mask(p > 0.8) for p in P],
        "entries missing",
    ),
    "objects": (lambda: P.astype(object), "entries of type object, expected real numbers"),
    "none": (lambda: None, "NoneType, expected an array"),
}


@pytest.mark.parametrize("entry", ENTRIES)
@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused_in_one_line(entry, case):
    make, words = REFUSED[case]
    if (entry, case) == ("geodesic", "unknown"):
        words = "shapes"  # it reads the whole, and then knows
    with pytest.raises(DataError, match=words) as error:
        ENTRIES[entry](make())
    assert "\n" not in str(error.value)


def test_labels_and_other_arrays_pass_the_same_door():
    masked = np.ma.masked_equal(LABELS, 2)
    for use in (
        lambda: hr.progress(P, masked),
        lambda: hr.truth(masked, 3),
        lambda: hr.geodesic(P, P, np.ma.masked_equal([0, 1, 0, 0], 1)),
        lambda: hr.align(np.ma.masked_equal(P[0], P[0, 0, 0]), P[0], [1, 1, 1]),
    ):
        with pytest.raises(DataError, match="masked, expected none"):
            use()
    nullable = pd.Series(LABELS, dtype="Int64")
    np.testing.assert_array_equal(hr.progress(P, nullable), hr.progress(P, LABELS))
    with pytest.raises(DataError, match="labels: 1 entries missing"):
        hr.truth(pd.Series([0, None, 1], dtype="Int64"), 3)


def test_large_integers_are_numbers():
    assert as_numpy([1, 10**20], "steps").tolist() == [1, 1e20]
    with pytest.raises(DataError, match="steps: an integer of more than 300 digits"):
        as_numpy(10**400, "steps")
    for use in (lambda: hr.ignorance(10**20, 3), lambda: hr.progress(P, LABELS, threads=10**20)):
        with pytest.raises(DataError, match=r"= 1000+: expected an integer, 1 to"):
            use()


def test_nothing_is_copied_that_need_not_be():
    assert as_numpy(P, "P") is P
    assert sliceable(P, "P") is P
    assert np.shares_memory(as_numpy(np.ma.array(P), "P"), P)


# Half precision


@pytest.mark.parametrize("kind", ["float16", "bfloat16"])
@pytest.mark.parametrize("n_classes", [3, 10, 1000])
@pytest.mark.parametrize("entry", [name for name in ENTRIES if name != "geodesic"])
def test_a_softmax_in_half_precision(kind, n_classes, entry):
    """What float64 gives for its rows, normalised."""
    logits = torch.tensor(np.random.default_rng(1).normal(0, 3, size=(5, 6, n_classes)))
    half = logits.to(getattr(torch, kind)).softmax(dim=2)
    assert (half.double().sum(dim=2) - 1).abs().max() > 1e-4
    exact = half.double().numpy()
    exact /= exact.sum(axis=2, keepdims=True)
    given = half.numpy() if kind == "float16" else half
    compute = ENTRIES[entry]
    tolerance = 1e-6 if entry == "pairwise_distance" else 1e-12
    if entry == "InPCA":
        tolerance = 1e-3  # of square roots of eigenvalues, of distances that are in float32
    np.testing.assert_allclose(compute(given), compute(exact), atol=tolerance)


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("n_classes", [2, 10, 1000])
def test_the_tolerance_is_what_rounding_takes(kind, n_classes):
    """Every softmax is within it, computed in whatever order; what is off by far is not."""
    rng = np.random.default_rng(2)
    logits = torch.tensor(rng.normal(0, [[0.1], [3], [30]], size=(300, 3, n_classes))).to(kind)
    numerators = (logits - logits.amax(dim=2, keepdim=True)).exp()
    in_half = numerators / numerators.sum(dim=2, keepdim=True)
    for rows in (logits.softmax(dim=2), in_half):
        tolerance = sum_tolerance(rows)
        assert 1e-4 < tolerance < 0.1
        assert (rows.double().sum(dim=2) - 1).abs().max() <= tolerance
        assert as_distributions(rows).sum(axis=2) == pytest.approx(1, abs=1e-12)
        assert sum_tolerance([rows, rows.double()]) == tolerance
        with pytest.raises(DataError, match=r"sums to .* in half precision"):
            as_distributions(rows * 1.3)


def test_other_precisions_keep_their_tolerance():
    for rows in (P, P.astype(np.float32), torch.tensor(P).float(), P.tolist(), zarr.array(P)):
        assert sum_tolerance(rows) == 1e-4
    off = (P * 1.001).astype(np.float32)
    with pytest.raises(DataError, match="sums to 1.001"):
        as_distributions(off)
    assert read_rows(off).dtype == np.float32  # checked later
