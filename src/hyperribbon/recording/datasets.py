"""Datasets and loaders of torch, and Hugging Face's, read into arrays in their own order."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Mapping
from typing import Any

from hyperribbon.errors import DataError, first_line
from hyperribbon.numerics.random_state import random_state, set_random_state
from hyperribbon.recording.samples import Samples

logger = logging.getLogger(__name__)

_LABELS = ("labels", "label")


def is_dataset(given: object) -> bool:
    """Whether this is a ``Dataset`` or ``DataLoader`` of torch, or a dataset of Hugging Face."""
    hugging_face = type(given).__module__.split(".")[0] == "datasets"
    if hugging_face and hasattr(given, "column_names") and not isinstance(given, Mapping):
        return True
    data: Any = sys.modules.get("torch.utils.data")
    return data is not None and isinstance(given, data.Dataset | data.DataLoader)


def read_dataset(given: Any, split: str) -> tuple[Any, Any]:
    """All inputs of a dataset or loader in the dataset's order, and its labels, None without any.

    A loader is read through its dataset and its ``collate_fn``, all samples at once, whether or not
    it shuffles. Items may be inputs, pairs (inputs, label), or mappings, whose ``labels`` or
    ``label`` are the labels. Everything is read twice, to find augmentation and other chance.

    Raises
    ------
    DataError
        If two readings differ, a loader may leave samples out, or items do not make arrays.
    """
    name = f"{split} inputs"
    before = random_state()
    try:  # what is drawn twice would be equal if the state were restored in between
        inputs, labels = _read(given, name)
        again = _read(given, name)
    finally:
        set_random_state(before)
    if _hash(inputs, labels, split) != _hash(*again, split):
        raise DataError(
            f"{name}: two readings of the {type(given).__name__} differ; expected the same samples "
            "in the same order, without augmentation"
        )
    return inputs, labels


def split_labels(inputs: Mapping) -> tuple[dict, Any]:
    """The inputs of a mapping, and its labels, None without any."""
    inputs = dict(inputs)
    found = [inputs.pop(key) for key in _LABELS if key in inputs]
    return inputs, found[0] if found else None


def _read(given: Any, name: str) -> tuple[Any, Any]:
    """All inputs and labels."""
    items, collate = _items(given, name)
    if not items:
        raise DataError(f"{name}: of type {type(given).__name__}, without any samples")
    try:
        columns = _columns(items, name) if collate is None else collate(items)
    except DataError:
        raise
    except (TypeError, ValueError, RuntimeError, KeyError, AttributeError) as error:
        raise DataError(
            f"{name}: the items do not make one array ({first_line(error)}); expected items of one "
            "kind and shape, or a DataLoader whose collate_fn pads them"
        ) from None
    if isinstance(columns, Mapping):
        return split_labels(columns)
    if not isinstance(columns, tuple | list) or (collate is None and columns is items):
        return columns, None
    if len(columns) > 2:
        raise DataError(
            f"{name}: items of {len(columns)} entries, expected inputs and a label; for several "
            "inputs, items that are mappings, by their names"
        )
    inputs, labels = columns if len(columns) == 2 else (columns[0], None)
    return inputs, labels


def _items(given: Any, name: str) -> tuple[list, Callable | None]:
    """All items of a dataset, in its order, and the user's function that makes arrays of them."""
    data: Any = sys.modules.get("torch.utils.data")
    if data is None or not isinstance(given, data.DataLoader):
        return _in_order(given, name), None
    loader, dataset = given, given.dataset
    if loader.batch_size is None and loader.batch_sampler is None:
        raise DataError(f"{name}: a DataLoader with batch_size=None, expected a batch size")
    if not isinstance(dataset, data.IterableDataset):
        sampler, batches = loader.sampler, type(loader.batch_sampler)
        shuffled = type(sampler) is data.RandomSampler and not sampler.replacement
        whole = shuffled or type(sampler) is data.SequentialSampler
        if batches is not data.BatchSampler or not whole or len(sampler) != len(dataset):
            kind = type(sampler if batches is data.BatchSampler else loader.batch_sampler).__name__
            raise DataError(
                f"{name}: a DataLoader with a {kind}, which may leave samples out; expected one "
                "without, of torch.utils.data.Subset(dataset, indices)"
            )
        if shuffled:
            logger.info("%s: a DataLoader that shuffles; read in the order of its dataset", name)
    own = loader.collate_fn is not data.default_collate
    return _in_order(dataset, name), loader.collate_fn if own else None


def _in_order(dataset: Any, name: str) -> list:
    """The items by their positions, or as they come if they have none."""
    if hasattr(dataset, "__len__"):
        return [dataset[k] for k in range(len(dataset))]
    if not hasattr(dataset, "__iter__"):
        raise DataError(f"{name}: a {type(dataset).__name__} without a length")
    return list(dataset)


def _columns(items: list, name: str) -> Any:
    """Entries of the items as lists: by name, by position, or the items themselves."""
    if isinstance(items[0], Mapping):
        return {key: [item[key] for item in items] for key in items[0]}
    if isinstance(items[0], tuple | list):
        columns = [list(column) for column in zip(*items, strict=True)]
        return [_columns(column, name) if isinstance(column[0], Mapping) else column
                for column in columns]  # fmt: skip
    return items


def _hash(inputs: Any, labels: Any, split: str) -> str | None:
    named = dict(inputs) if isinstance(inputs, Mapping) else {"inputs": inputs}
    return Samples(named if labels is None else {**named, " labels": labels}, split).sha256()
