"""One line for each of pydantic's errors: the key, the value, what is allowed."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, Field
from pydantic.fields import FieldInfo


def explain(error: Mapping[str, Any], model: type[BaseModel]) -> str:
    """Explain an element of ``ValidationError.errors()``.

    Parameters
    ----------
    error : mapping
        It has the keys type, loc, msg, input and perhaps ctx.
    model : type
        The model that was validated.

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
        close = difflib.get_close_matches(path[-1].strip().lower(), allowed, n=1)
        hint = f"; did you mean {close[0]}?" if close else ""
        return f"{given}: unknown key, allowed: {', '.join(allowed)}{hint}"
    if kind == "missing" and section is not None:
        about = " ".join((section.model_fields[path[-1]].description or "").split())
        return f"{key}: missing key ({about})"
    if kind == "impossible" and "key" in context:
        return f"{key}.{error['msg']}" if key else error["msg"]
    if kind == "union_tag_invalid":
        tag, tags = context["discriminator"].strip(_Q), context["expected_tags"]
        return f"{key}.{tag} = {_show(context['tag'])}: allowed: {tags.replace(_Q, '')}"
    if kind == "union_tag_not_found":
        tags = ", ".join(members(expected))
        return f"{key}.{context['discriminator'].strip(_Q)}: missing key, allowed: {tags}"
    if kind == "literal_error":
        return f"{given}: allowed: {context['expected'].replace(_Q, chr(34))}"
    if path and path[-1] == "[key]":
        given = f"{'.'.join(path[:-2])} = {_show(value)}"
        if kind == "string_type":
            return f"{given}: a name must be text; put it in quotes"
    if kind in ("too_short", "string_too_short") and context["min_length"] == 1:
        return f"{given}: must not be empty"
    if kind in WORDS:
        limits = {
            name: int(limit) if isinstance(limit, float) and limit.is_integer() else limit
            for name, limit in context.items()
        }
        return f"{given}: {WORDS[kind].format(**limits)}{_hint(kind, value)}"
    return f"{given}: {error['msg'][0].lower()}{error['msg'][1:]}"


_Q = "'"

# Pydantic's errors in the words of YAML, which has no tuples.
MAPPING, WHOLE = "must be a mapping of keys to values", "must be a whole number"
NUMBER, TEXT, LIST = "must be a number", "must be text", "must be a list"
WORDS = {
    "model_type": MAPPING,
    "model_attributes_type": MAPPING,
    "dict_type": MAPPING,
    "int_type": WHOLE,
    "int_parsing": WHOLE,
    "int_parsing_size": WHOLE,
    "int_from_float": WHOLE,
    "float_type": NUMBER,
    "float_parsing": NUMBER,
    "not_a_number": NUMBER,
    "finite_number": "must be finite",
    "bool_type": "must be true or false",
    "string_type": TEXT,
    "tuple_type": LIST,
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "too_short": "must have at least {min_length} entries",
    "too_long": "must have at most {max_length} entries",
    "string_too_short": "must have at least {min_length} characters",
    "string_too_long": "must have at most {max_length} characters",
    "string_pattern_mismatch": "a name has letters, digits, - and _, beginning with a letter or "
    "digit",
    "recursion_loop": "refers to itself",
}


def _hint(kind: str, value: object) -> str:
    """How to write what the author probably meant."""
    words = WORDS[kind]
    if value is None:
        return "; nothing is given"
    if words == LIST:
        single = isinstance(value, str | int | float)
        return f", such as [{_show(value)}]" if single else ""
    if words == TEXT and isinstance(value, bool):
        return "; put it in quotes, because YAML reads yes, no, on and off as true or false"
    if words == TEXT and not isinstance(value, list | dict):
        return "; put it in quotes"
    if words == WHOLE and isinstance(value, str | float) and not isinstance(value, bool):
        return ", written in digits alone, without quotes"
    return ""


def _show(value: object) -> str:
    try:
        text = json.dumps(value, default=str)
    except (TypeError, ValueError, RecursionError):  # keys that JSON cannot have, endless values
        kinds = {Mapping: "a mapping", list: "a list", int: "a number of thousands of digits"}
        text = next((words for kind, words in kinds.items() if isinstance(value, kind)), "a value")
    return text if len(text) <= 60 else text[:57] + "..."


def _locate(
    loc: tuple[str | int, ...], model: type[BaseModel]
) -> tuple[list[str], type[BaseModel] | None, Any]:
    """Path of an error without union tags, the section that holds its last key, its annotation."""
    path: list[str] = []
    here: Any = model
    section: type[BaseModel] | None = None
    for part in map(str, loc):
        union = members(here)
        if part in union:  # not a key, but the member of a union that was tried
            here = union[part]
            continue
        path.append(part)
        section = here if isinstance(here, type) and issubclass(here, BaseModel) else None
        if section is not None:
            field = section.model_fields.get(part)
            here = _given(_annotation(field)) if field else None
        elif get_origin(here) in (dict, tuple):  # their values are of one type
            here = get_args(here)[get_origin(here) is dict]
        else:
            here = None
    return path, section, here


def _annotation(field: FieldInfo) -> Any:
    """What a key may hold; pydantic keeps the discriminator of a union apart from it."""
    if field.discriminator is None:
        return field.annotation
    return Annotated[field.annotation, Field(discriminator=field.discriminator)]


def _given(annotation: Any) -> Any:
    """What an optional key holds if it is given: a section, or a mapping of names."""
    options = [option for option in get_args(annotation) if option is not type(None)]
    if get_origin(annotation) not in (Union, UnionType) or len(options) != 1:
        return annotation
    (option,) = options
    inner = get_args(option)[0] if get_origin(option) is Annotated else option
    return inner if get_origin(inner) in (dict, tuple) else option


def members(annotation: Any) -> dict[str, type[BaseModel]]:
    """Sections of a discriminated union by tag."""
    if get_origin(annotation) is not Annotated:
        return {}
    union, field = get_args(annotation)[:2]
    tag = getattr(field, "discriminator", None)
    if tag is None:
        return {}
    return {
        get_args(section.model_fields[tag].annotation)[0]: section for section in get_args(union)
    }
