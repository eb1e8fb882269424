import dask.array as da
import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import torch
import xarray as xr
import zarr

import hyperribbon as hr
from hyperribbon.recording.samples import Samples
from hyperribbon.recording.torch_modules import as_tensors

ROWS = torch.nn.Linear(4, 3)

X = np.random.default_rng(0).normal(size=(7, 4))
ALL = slice(0, 7)

KINDS = {
    "float64": X,
    "Fortran order": np.asfortranarray(X),
    "backwards": X[::-1].copy()[::-1],
    "every other": np.repeat(X, 2, axis=1)[:, ::2],
    "other bytes": X.astype(">f8"),
    "read only": np.broadcast_to(X, X.shape),
    "nothing masked": np.ma.array(X),
    "nested lists": X.tolist(),
    "tensor with gradient": torch.tensor(X, requires_grad=True),
    "list of tensors": list(torch.tensor(X)),
    "DataFrame": pd.DataFrame(X, index=np.arange(7) / 2),
    "dask": da.from_array(X, chunks=3),
    "xarray": xr.DataArray(X),
    "zarr": zarr.array(X),
    "sparse": scipy.sparse.csr_matrix(X),
    "sparse of coordinates": scipy.sparse.coo_array(X),
}


def tensors(samples, part=ALL, module=torch.nn.Identity()):  # noqa: B008  it does not change
    """Some samples as a torch module gets them."""
    return as_tensors(samples.batch(part), module, samples.split, "step 0")


@pytest.mark.parametrize("kind", KINDS)
def test_samples_of_any_kind_are_tensors_of_the_networks_type(kind):
    samples = Samples(KINDS[kind], "train")
    assert len(samples) == 7
    parts = [tensors(samples, part, ROWS)["inputs"] for part in samples.batches(3)]
    assert [len(part) for part in parts] == [3, 3, 1]
    assert torch.equal(torch.cat(parts), torch.tensor(X).float())
    assert tensors(samples)["inputs"].dtype == torch.float64


def test_equal_arrays_have_equal_hashes_and_others_do_not():
    dense = [kind for kind in KINDS if not kind.startswith(("sparse", "DataFrame"))]
    hashes = {Samples(KINDS[kind], "train").sha256() for kind in dense}
    assert len(hashes) == 1 and None not in hashes
    frame, matrix, words = KINDS["DataFrame"], KINDS["sparse"], list("abcdefg")
    for given, other in ((frame, frame[::-1]), (matrix, matrix[::-1]), (words, words[::-1])):
        found = [Samples(array, "train").sha256() for array in (given, other, given)]
        assert found[0] == found[2] != found[1]
        assert None not in found


def test_a_sample_has_the_same_hash_in_any_type_shape_and_place():
    hashes = Samples(X, "train").hash_of_each()
    assert hashes.dtype == np.uint64 and len(set(hashes.tolist())) == 7
    for kind, given in KINDS.items():
        np.testing.assert_array_equal(Samples(given, "train").hash_of_each(), hashes, err_msg=kind)
    images = X.astype(np.float32)[::-1].reshape(7, 2, 2)
    np.testing.assert_array_equal(Samples(images, "train").hash_of_each(), hashes[::-1])
    others = (
        {"x": X, "mask": np.ones((7, 1))},
        list("abcdefg"),
        pd.DataFrame({"a": list("abcdefg")}),
    )
    for given in others:
        found = Samples(given, "train").hash_of_each()
        assert len({*found.tolist(), *hashes.tolist()}) == 14
    turned = Samples(others[2][::-1], "train").hash_of_each()
    np.testing.assert_array_equal(turned[::-1], found)
    assert Samples([object()] * 7, "train").hash_of_each() is None


def test_names_integers_and_what_functions_take_stay_as_they_are():
    frame = pd.DataFrame({"a": [1, 2, 3], "b": list("xyz")})
    given = {"ids": torch.arange(3), "table": frame, "texts": ["u", "v", "w"]}
    samples = Samples(given, "train")
    assert samples.named
    batch = samples.batch(slice(1, 3))
    assert torch.equal(batch["ids"], torch.tensor([1, 2]))
    pd.testing.assert_frame_equal(batch["table"], frame[1:])
    assert batch["texts"] == ["v", "w"]
    mixed = Samples(pd.DataFrame({"a": [True, False], "b": [0.5, 2]}), "train")
    assert tensors(mixed, slice(0, 2))["inputs"].tolist() == [[1, 0.5], [0, 2]]
    ids = tensors(Samples(torch.arange(3), "train"), slice(0, 3), torch.nn.Linear(1, 1).half())
    assert ids["inputs"].dtype == torch.int64


@pytest.mark.parametrize("given", [X.copy(), torch.tensor(X)])
def test_a_model_that_writes_into_its_batch_does_not_change_the_samples(given):
    samples = Samples(given, "train")
    for batch in (samples.batch(ALL), tensors(samples)):
        batch["inputs"][:] = 0
    assert torch.equal(torch.as_tensor(given), torch.tensor(X))
    samples.check_unchanged()


@pytest.mark.parametrize("given", [X.copy(), torch.tensor(X), list(torch.tensor(X))])
def test_samples_that_are_shuffled_in_place_are_noticed(given):
    samples = Samples(given, "test")
    if isinstance(given, list):
        given.reverse()
        samples.check_unchanged()  # they are an array by now
        return
    given[:] = given[[6, 5, 4, 3, 2, 1, 0]]
    with pytest.raises(hr.DataError, match="test inputs: changed in place since the Recorder was"):
        samples.check_unchanged()


chunks = da.from_array(X, chunks=3)
NONE = {
    "train inputs: of type generator, expected an array or tensor": (x for x in X),
    "train inputs: of type NoneType, expected": None,
    "train inputs: of type str, expected": "digits",
    "train inputs: shape (), expected one row per sample": np.array(3.0),
    "train inputs: a list of arrays of unequal shapes, expected": [[1, 2], [3]],
    "train inputs: of unknown length; call compute_chunk_sizes()": chunks[chunks[:, 0] > 0],
    "train inputs: a tensor of layout torch.sparse_coo": torch.tensor(X).to_sparse(),
    "train inputs: on the meta device": torch.tensor(X).to("meta"),
    "train inputs: 1 masked entries": np.ma.masked_equal(X, X[2, 3]),
    "train mask: 1 masked entries": {"x": X, "mask": np.ma.masked_equal(X, X[2, 3])},
    "train inputs[1]: on the meta device": [torch.ones(2), torch.ones(2, device="meta")],
    "train inputs: a mapping of [], expected names": {},
    "train inputs: a mapping of [0], expected names": {0: X},
}


@pytest.mark.parametrize("message", NONE)
def test_what_is_no_samples_is_refused_in_one_line(message):
    with pytest.raises(hr.DataError) as error:
        Samples(NONE[message], "train")
    assert str(error.value).startswith(message)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("given", [list("abc"), pd.DataFrame({"a": list("xyz")}), [{}, {}, {}]])
def test_a_torch_module_needs_numbers(given):
    with pytest.raises(hr.DataError, match="expected numbers for a torch module"):
        tensors(Samples(given, "train"), slice(0, 3))
