"""One line for each of pydantic's errors: the key, the value, what is allowed."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel


def explain(error: Mapping[str, Any], model: type[BaseModel]) -> str:
    """Explain an element of ``ValidationError.errors()``.

    Parameters
    ----------
    error : with keys type, loc, msg, input and perhaps ctx
    model : the model that was validated

    Examples
    --------
    >>> from pydantic import ValidationError
    >>> class Section(BaseModel, extra="forbid"):
    ...     width: int
    >>> try:
    ...     Section.model_validate({"width": 3, "widht": 4})
    ... except ValidationError as failure:
    ...     explain(failure.errors()[0], Section)
    'widht = 4: unknown key, allowed: width; did you mean width?'
    """
    kind, value, context = error["type"], error["input"], error.get("ctx", {})
    path, section, expected = _locate(error["loc"], model)
    key = ".".join(path)
    given = f"{key} = {_show(value)}"
    if kind == "extra_forbidden" and section is not None:
        allowed = list(section.model_fields)
        close = difflib.get_close_matches(path[-1], allowed, n=1)
        hint = f"; did you mean {close[0]}?" if close else ""
        return f"{given}: unknown key, allowed: {', '.join(allowed)}{hint}"
    if kind == "missing" and section is not None:
        return f"{key}: missing key ({section.model_fields[path[-1]].description})"
    if kind == "impossible" and "key" in context:
        return f"{key}.{error['msg']}" if key else error["msg"]
    if kind == "union_tag_invalid":
        tag, allowed = context["discriminator"].strip("'"), context["expected_tags"]
        return f"{key}.{tag} = {_show(context['tag'])}: allowed: {allowed.replace(_Q, '')}"
    if kind == "union_tag_not_found":
        allowed = ", ".join(_members(expected))
        return f"{key}.{context['discriminator'].strip(_Q)}: missing key, allowed: {allowed}"
    if kind == "literal_error":
        return f"{given}: allowed: {context['expected'].replace(_Q, chr(34))}"
    if path and path[-1] == "[key]":
        given = f"{'.'.join(path[:-2])} = {_show(value)}"
        if kind == "string_type":
            return f"{given}: a name must be text; put it in quotes"
    if kind == "string_pattern_mismatch":
        return f"{given}: a name has letters, digits, - and _, beginning with a letter or digit"
    if kind in ("model_type", "model_attributes_type", "dict_type"):
        return f"{given}: must be a mapping of keys to values"
    return f"{given}: {error['msg'][0].lower()}{error['msg'][1:]}"


_Q = "'"


def _show(value: object) -> str:
    text = json.dumps(value, default=str)
    return text if len(text) <= 60 else text[:57] + "..."


def _locate(
    loc: tuple[str | int, ...], model: type[BaseModel]
) -> tuple[list[str], type[BaseModel] | None, Any]:
    """Path of an error without union tags, the section that holds its last key, its annotation."""
    path: list[str] = []
    here: Any = model
    section: type[BaseModel] | None = None
    for part in map(str, loc):
        members = _members(here)
        if part in members:  # not a key: which member of a union was tried
            here = members[part]
            continue
        path.append(part)
        section = here if isinstance(here, type) and issubclass(here, BaseModel) else None
        if section is not None:
            field = section.model_fields.get(part)
            here = field.annotation if field else None
        elif get_origin(here) is dict:
            here = get_args(here)[1]
        else:
            here = None
    return path, section, here


def _members(annotation: Any) -> dict[str, type[BaseModel]]:
    """Sections of a discriminated union by tag: the literal of their first field."""
    if get_origin(annotation) is Annotated:  # of a field itself, pydantic keeps only the union
        annotation = get_args(annotation)[0]
    if get_origin(annotation) not in (Union, UnionType):
        return {}
    sections = get_args(annotation)
    return {
        get_args(next(iter(section.model_fields.values())).annotation)[0]: section
        for section in sections
        if isinstance(section, type) and issubclass(section, BaseModel)
    }
