"""The section `dask`: where the analysis is computed."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from hyperribbon.config.fields import Section


def _address(value: str) -> str:
    if not re.fullmatch(r"(tcp|tls)://[^\s/]+:\d+", value):
        raise PydanticCustomError("impossible", "expected an address such as tcp://host:8786")
    return value


class DaskConfig(Section):
    """Where the analysis is computed; its results are the same anywhere."""

    scheduler: Annotated[str, Field(strict=True), AfterValidator(_address)] | None = None
    """Address of a Dask scheduler, as `tcp://host:8786`; by default, threads of the job itself."""
