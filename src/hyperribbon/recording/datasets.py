"""Datasets and loaders of torch, and Hugging Face's, read into arrays in their own order."""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping
from typing import Any, cast

from hyperribbon.errors import DataError, first_line
from hyperribbon.numerics.random_state import random_state, set_random_state
from hyperribbon.recording.samples import Samples

logger = logging.getLogger(__name__)

_LABELS = ("labels", "label")


def is_dataset(given: object) -> bool:
    """Whether this is a ``Dataset`` or ``DataLoader`` of torch, or a dataset of Hugging Face."""
    if type(given).__module__.split(".")[0] == "datasets" and hasattr(given, "column_names"):
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
        inputs, labels = split_labels(_collated(given, name), name)
        again = split_labels(_collated(given, name), name)
    finally:
        set_random_state(before)
    if _hash(inputs, labels) != _hash(*again):
        raise DataError(
            f"{name}: two readings of the {type(given).__name__} differ; expected the same samples "
            "in the same order, without augmentation"
        )
    return inputs, labels


def split_labels(collated: Any, name: str) -> tuple[Any, Any]:
    """Inputs and labels, None without any, of a mapping, a pair or an array."""
    if isinstance(collated, Mapping):
        inputs = dict(collated)
        found = [inputs.pop(key) for key in _LABELS if key in inputs]
        return inputs, found[0] if found else None
    several = isinstance(collated, list | tuple) and all(hasattr(x, "shape") for x in collated)
    if not several or not collated:
        pair = isinstance(collated, list | tuple) and len(collated) == 2
        if pair and isinstance(collated[0], Mapping | list | tuple):
            return collated[0], collated[1]
        return collated, None
    if len(collated) > 2:
        raise DataError(
            f"{name}: items of {len(collated)} entries, expected inputs and a label; for several "
            "inputs, items that are mappings, by their names"
        )
    return collated[0], collated[1] if len(collated) == 2 else None


def _collated(given: Any, name: str) -> Any:
    """All items, made into arrays."""
    items, collate = _items(given, name)
    if not items:
        raise DataError(f"{name}: of type {type(given).__name__}, without any samples")
    try:
        return collate(items)
    except (TypeError, ValueError, RuntimeError, KeyError, AttributeError) as error:
        raise DataError(
            f"{name}: the items do not make one array ({first_line(error)}); expected arrays of "
            "one shape, or a DataLoader whose collate_fn pads them"
        ) from None


def _items(given: Any, name: str) -> tuple[list, Any]:
    """All items of a dataset, in its order, and what makes arrays of them."""
    if "torch" not in sys.modules:  # a dataset of Hugging Face
        return list(given), _columns
    import torch.utils.data as data

    if not isinstance(given, data.DataLoader):
        return _in_order(given, name), data.default_collate
    loader, dataset = given, cast(Any, given.dataset)
    if loader.batch_size is None and loader.batch_sampler is None:
        raise DataError(
            f"{name}: a DataLoader with batch_size=None, expected one that makes batches"
        )
    if not isinstance(dataset, data.IterableDataset):
        sampler, batches = cast(Any, loader.sampler), type(loader.batch_sampler)
        shuffled = type(sampler) is data.RandomSampler and not sampler.replacement
        plain = batches is data.BatchSampler and (
            shuffled or type(sampler) is data.SequentialSampler
        )
        if not plain or len(sampler) != len(dataset):
            kind = type(sampler if batches is data.BatchSampler else loader.batch_sampler).__name__
            raise DataError(
                f"{name}: a DataLoader with a {kind}, which may leave samples out; expected one "
                "without, of torch.utils.data.Subset(dataset, indices)"
            )
        if shuffled:
            logger.info("%s: a DataLoader that shuffles; read in the order of its dataset", name)
    return _in_order(dataset, name), loader.collate_fn


def _in_order(dataset: Any, name: str) -> list:
    """The items by their positions, or as they come if they have none."""
    if not hasattr(dataset, "__len__"):
        if not hasattr(dataset, "__iter__"):
            raise DataError(f"{name}: a {type(dataset).__name__} without a length")
        return list(dataset)
    return [dataset[k] for k in range(len(dataset))]


def _columns(items: list[Mapping]) -> dict[str, list]:
    return {name: [item[name] for item in items] for name in items[0]}


def _hash(inputs: Any, labels: Any) -> str | None:
    named = dict(inputs) if isinstance(inputs, Mapping) else {"inputs": inputs}
    return Samples(named if labels is None else {**named, " labels": labels}, "").sha256()
