import random

import numpy as np
import pytest
import torch
import xarray as xr
from torch.utils.data import (
    DataLoader,
    Dataset,
    IterableDataset,
    RandomSampler,
    StackDataset,
    Subset,
    SubsetRandomSampler,
    TensorDataset,
)

import hyperribbon as hr
from hyperribbon.recording.datasets import is_dataset, read_dataset

N = 12
X, Y = torch.arange(2.0 * N).reshape(N, 2), torch.arange(N) % 3
PAIRS = TensorDataset(X, Y)
NAMED = StackDataset(x=X, labels=Y)


class Items(Dataset):
    """A function of each position."""

    def __init__(self, function, n=N):
        self.function, self.n = function, n

    def __len__(self):
        return self.n

    def __getitem__(self, k):
        return self.function(k)


class Stream(IterableDataset):
    def __iter__(self):
        yield from zip(X, Y, strict=True)


def padded(items):
    """As Hugging Face's collators: to the longest item, in a mapping."""
    tokens = torch.nn.utils.rnn.pad_sequence([torch.ones(k) for k in items], batch_first=True)
    return {"tokens": tokens, "labels": torch.tensor(items) % 3}


def loader(dataset=PAIRS, **options):
    return DataLoader(dataset, batch_size=5, **options)


KINDS = {
    "dataset": PAIRS,
    "of numpy and integers": Items(lambda k: (X[k].numpy(), int(Y[k]))),
    "of mappings": Items(lambda k: {"label": int(Y[k]), "x": X[k]}),
    "loader": loader(),
    "loader that shuffles": loader(shuffle=True),
    "loader that drops the last": loader(drop_last=True, shuffle=True),
    "loader of mappings": loader(NAMED),
    "loader of all": loader(Subset(TensorDataset(X.flip(0), Y.flip(0)), range(N - 1, -1, -1))),
    "stream": Stream(),
    "loader of a stream": loader(Stream()),
}


@pytest.mark.parametrize("kind", KINDS)
def test_samples_and_labels_are_read_in_the_order_of_the_dataset(kind):
    assert is_dataset(KINDS[kind])
    state = torch.get_rng_state()
    inputs, labels = read_dataset(KINDS[kind], "train")
    inputs = inputs["x"] if isinstance(inputs, dict) else inputs
    np.testing.assert_array_equal(inputs, X)
    np.testing.assert_array_equal(labels, Y)
    assert torch.equal(torch.get_rng_state(), state)


def test_inputs_without_labels_texts_and_what_is_padded():
    for given in (TensorDataset(X), Items(lambda k: X[k]), Items(lambda k: {"x": X[k]})):
        inputs, labels = read_dataset(given, "train")
        np.testing.assert_array_equal(inputs["x"] if isinstance(inputs, dict) else inputs, X)
        assert labels is None
    words = Items(lambda k: "abcdefghijkl"[k])
    assert read_dataset(words, "train") == (list("abcdefghijkl"), None)
    pairs = Items(lambda k: ({"x": X[k]}, ["dog", "cat", "cow"][Y[k]]))
    inputs, labels = read_dataset(pairs, "train")
    assert torch.equal(torch.stack(inputs["x"]), X) and list(labels[:2]) == ["dog", "cat"]
    lengths = loader(Items(lambda k: k + 1), collate_fn=padded, shuffle=True)
    inputs, labels = read_dataset(lengths, "train")
    assert inputs["tokens"].shape == (N, N) and inputs["tokens"].sum(1).tolist()[3] == 4
    assert labels.tolist() == ((torch.arange(N) + 1) % 3).tolist()
    assert not is_dataset(X) and not is_dataset([X]) and not is_dataset({"x": X})


count = iter(range(1000))
BAD = {
    "two readings of the Items differ; expected the same samples": [
        Items(lambda k: (X[k] + torch.randn(2), 0)),
        Items(lambda k: (X[k] * random.random(), 0)),
        Items(lambda k: (X[k], next(count) % 5)),
    ],
    "two readings of the DataLoader differ": [
        loader(collate_fn=lambda items: torch.stack([x + torch.randn(2) for x, _ in items]))
    ],
    "a DataLoader with a SubsetRandomSampler, which may leave samples out; expected one": [
        loader(sampler=SubsetRandomSampler(range(4)))
    ],
    "a DataLoader with a RandomSampler, which": [
        loader(sampler=RandomSampler(PAIRS, num_samples=5)),
        loader(sampler=RandomSampler(PAIRS, replacement=True)),
    ],
    "a DataLoader with a list, which": [DataLoader(PAIRS, batch_sampler=[[0, 1], [2]])],
    "a DataLoader with batch_size=None": [DataLoader(PAIRS, batch_size=None)],
    "a list of arrays of unequal shapes, expected one per sample": [
        Items(lambda k: torch.zeros(k + 1)),
        Items(lambda k: {"inputs": [0] * (k + 1)}),
    ],
    "the items do not make one array ('x'); expected items of one kind": [
        Items(lambda k: {"xy"[k // 3]: 0}, 6)
    ],
    "the items do not make one array (stack expects each tensor to be equal size": [
        loader(Items(torch.ones), collate_fn=torch.stack)
    ],
    "items of 3 entries, expected inputs and a label": [TensorDataset(X, X, Y)],
    "of type TensorDataset, without any samples": [TensorDataset(X[:0])],
}


@pytest.mark.parametrize("message", BAD)
def test_what_gives_no_samples_is_refused_in_one_line(message):
    for given in BAD[message]:
        with pytest.raises(hr.DataError) as error:
            read_dataset(given, "test")
        assert str(error.value).startswith(f"test inputs: {message}")
        assert "\n" not in str(error.value)


def test_a_recorder_takes_its_labels_from_datasets_and_mappings(tmp_path):
    test = {"x": X[:4], "labels": Y[:4]}
    plain = {"test_inputs": X[:4], "test_labels": Y[:4]}
    for name, given in {
        "dataset": {"inputs": loader(shuffle=True), "test_inputs": PAIRS, "test_labels": Y},
        "mapping": {"inputs": NAMED, "test_inputs": test},
        "array": {"inputs": X, "labels": Y, **plain},
    }.items():
        with hr.Recorder(tmp_path / name, network="Net", **given) as rec:
            rec.checkpoint(lambda x: torch.cat([x, 1 - x[:, :1]], 1), 0)
    stores = [xr.open_zarr(tmp_path / f"{name}.zarr") for name in ("dataset", "mapping", "array")]
    for store in stores:
        np.testing.assert_array_equal(store["train_predictions"], stores[2]["train_predictions"])
        np.testing.assert_array_equal(store["train_label"], Y)
        np.testing.assert_array_equal(store["test_label"][:4], Y[:4])
    with pytest.raises(hr.ConfigError, match="inputs, labels: no labels; expected both"):
        hr.Recorder(tmp_path / "none", TensorDataset(X), network="Net")
