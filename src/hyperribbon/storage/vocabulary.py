"""Which token each class is, and which classes are kept, in stores of token predictions.

===================  ======================  =====================================================
variable             dimensions              content
===================  ======================  =====================================================
vocabulary           byte                    JSON list of the C tokens, in UTF-8; where given
{split}_top_class    {split}_sample, kept    of which classes the first k columns are; the last
                                             column is all others
===================  ======================  =====================================================
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import xarray as xr
import zarr

from hyperribbon.errors import StoreError
from hyperribbon.storage.dataset import CODECS

_VARIABLE = "vocabulary"


def top_variable(split: str) -> str:
    """Name of the variable that says which classes are kept.

    >>> top_variable("test")
    'test_top_class'
    """
    return f"{split}_top_class"


def write_vocabulary(group: zarr.Group, tokens: Sequence[str]) -> None:
    """Write the token that each class is."""
    text = np.frombuffer(json.dumps(list(tokens)).encode(), np.uint8)
    group.create_array(_VARIABLE, data=text, compressors=CODECS, dimension_names=("byte",))


def read_vocabulary(store: xr.Dataset) -> list[str] | None:
    """The token that each class is; None where it is not known."""
    return json.loads(store[_VARIABLE].values.tobytes()) if _VARIABLE in store else None


def coarse_prior(store: xr.Dataset) -> np.ndarray | None:
    """Ignorance (k + 1,) of a store of few classes: C equally probable ones; None of all classes.

    All others together are C - k times as probable as one that is kept.
    """
    about = json.loads(store.attrs["configuration"]).get("top_classes")
    if about is None:
        return None
    kept, of = about["kept"], about["of"]
    return np.array([1 / of] * kept + [(of - kept) / of])


def refuse_other_classes(
    path: Path, store: xr.Dataset, first_path: Path, first: xr.Dataset, splits: Sequence[str]
) -> None:
    """Refuse a store whose columns are not those of another.

    Raises
    ------
    StoreError
        If numbers of classes differ, or which are kept.
    """
    given, expected = (
        json.loads(one.attrs["configuration"]).get("top_classes") for one in (store, first)
    )
    if given != expected:
        raise StoreError(
            f"{path}: {_kept(given, store)}, expected those of {first_path}, "
            f"{_kept(expected, first)}"
        )
    if store.sizes["class"] != first.sizes["class"]:
        raise StoreError(
            f"{path}: {store.sizes['class']} classes, expected those of {first_path}, "
            f"{first.sizes['class']}"
        )
    for split in splits:
        name = top_variable(split)
        if name in store and not np.array_equal(store[name].values, first[name].values):
            raise StoreError(
                f"{path}: other classes are kept of the {split} samples than in {first_path}; "
                "record both with the same top_classes"
            )


def refuse_other_vocabulary(path: Path, ours: list[str], where: Path, theirs: list[str]) -> None:
    """Refuse tokens that are not those of another store.

    Raises
    ------
    StoreError
        Which names the first class that differs.
    """
    if len(ours) != len(theirs):
        raise StoreError(
            f"{path}: a vocabulary of {len(ours)} tokens, expected that of {where}, {len(theirs)}"
        )
    for c, (token, other) in enumerate(zip(ours, theirs, strict=True)):
        if token != other:
            raise StoreError(
                f"{path}: class {c} is the token {token!r}, in {where} {other!r}; expected one "
                "vocabulary, in the same order"
            )


def _kept(about: dict | None, store: xr.Dataset) -> str:
    if about is None:
        return f"{store.sizes['class']} classes"
    return f"{about['kept']} of {about['of']} classes"
