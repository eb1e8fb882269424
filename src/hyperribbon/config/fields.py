"""Types of keys, and what every section of a configuration shares."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError


def _refuse_true(value: object) -> object:
    """Refuse true and false, which Python takes for 1 and 0."""
    if isinstance(value, bool):
        raise PydanticCustomError("not_a_number", "must be a number")
    return value


Label = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$", max_length=40)]
# The upper bounds only keep a typing error from using up the machine.
Count = Annotated[int, Field(strict=True, ge=1, le=1_000_000)]
Layers = Annotated[int, Field(strict=True, ge=1, le=1000)]
Natural = Annotated[int, Field(strict=True, ge=0, lt=2**32)]
# Numbers may be given as text, because YAML reads 1e-3, without a point, as text.
NotTrue = BeforeValidator(_refuse_true)
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False), NotTrue]
NonNegative = Annotated[float, Field(ge=0, allow_inf_nan=False), NotTrue]
Fraction = Annotated[float, Field(ge=0, le=1), NotTrue]
BelowOne = Annotated[float, Field(ge=0, lt=1), NotTrue]
Flag = Annotated[bool, Field(strict=True)]
Widths = Annotated[tuple[Count, ...], Field(min_length=1)]
Names = Annotated[tuple[Label, ...], Field(min_length=1)]


def refuse(key: str, value: object, expected: str) -> PydanticCustomError:
    """Error of a check that spans several keys, worded like the others."""
    context = {"key": key, "value": json.dumps(value), "expected": expected}
    return PydanticCustomError("impossible", "{key} = {value}: {expected}", context)


@contextmanager
def within(section: str) -> Iterator[None]:
    """Put the name of a section before the key of an error that `refuse` makes.

    >>> with within("networks.ViT"):
    ...     raise refuse("heads", 3, "must be even")
    Traceback (most recent call last):
    ...
    pydantic_core._pydantic_core.PydanticCustomError: networks.ViT.heads = 3: must be even
    """
    try:
        yield
    except PydanticCustomError as error:
        context = error.context or {}
        context = {**context, "key": f"{section}.{context['key']}"}
        raise PydanticCustomError("impossible", error.message_template, context) from None


def distinct(values: tuple[Any, ...]) -> tuple[Any, ...]:
    """Refuse a list in which a value comes twice."""
    if len(set(values)) < len(values):
        raise PydanticCustomError("impossible", "must not repeat a value")
    return values


class Section(BaseModel):
    """A section of a configuration: it refuses unknown keys and does not change.

    The string below each key describes it in the schema and in ``config/README.md``.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)
