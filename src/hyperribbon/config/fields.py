"""Types of keys, and what every section of a configuration shares."""

from __future__ import annotations

import json
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError


def _refuse_true(value: object) -> object:
    """Refuse true; text may be a number, for YAML reads 1e-3, without a point, as a string."""
    if isinstance(value, bool):
        raise PydanticCustomError("not_a_number", "must be a number")
    return value


Label = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$", max_length=40)]
# The upper bounds only keep a slip of the finger from eating the machine.
Count = Annotated[int, Field(strict=True, ge=1, le=1_000_000)]
Layers = Annotated[int, Field(strict=True, ge=1, le=1000)]
Natural = Annotated[int, Field(strict=True, ge=0, lt=2**32)]
NotTrue = BeforeValidator(_refuse_true)
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False), NotTrue]
NonNegative = Annotated[float, Field(ge=0, allow_inf_nan=False), NotTrue]
Fraction = Annotated[float, Field(ge=0, le=1), NotTrue]
BelowOne = Annotated[float, Field(ge=0, lt=1), NotTrue]
Flag = Annotated[bool, Field(strict=True)]
Widths = Annotated[tuple[Count, ...], Field(min_length=1)]


def refuse(key: str, value: object, expected: str) -> PydanticCustomError:
    """Error of a check that spans several keys, worded like the others."""
    context = {"key": key, "value": json.dumps(value), "expected": expected}
    return PydanticCustomError("impossible", "{key} = {value}: {expected}", context)


def distinct(values: tuple) -> tuple:
    """Refuse a list in which a value comes twice."""
    if len(set(values)) < len(values):
        raise PydanticCustomError("impossible", "must not repeat a value")
    return values


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)
