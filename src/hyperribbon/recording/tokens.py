"""Vocabularies as users give them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hyperribbon.errors import DataError


def as_vocabulary(given: object, n_classes: int | None = None) -> list[str] | None:
    """The token that each class is, from a sequence or a mapping of tokens to classes.

    Raises
    ------
    DataError
        If a token is no text or occurs twice, a mapping is not to 0, 1, ..., C - 1, or there are
        not C tokens.

    Examples
    --------
    >>> as_vocabulary({"b": 1, "a": 0})
    ['a', 'b']
    """
    if given is None:
        return None
    if isinstance(given, str) or not isinstance(given, Mapping | Sequence):
        kind = type(given).__name__
        raise DataError(f"vocabulary: of type {kind}, expected a sequence of tokens, or a mapping")
    tokens = list(given)
    if isinstance(given, Mapping):
        if sorted(given.values()) != list(range(len(given))):
            raise DataError(
                f"vocabulary: a mapping of {len(given)} tokens, expected to the classes 0 to "
                f"{len(given) - 1}, each once"
            )
        tokens.sort(key=given.__getitem__)
    wrong = next((token for token in tokens if not isinstance(token, str)), None)
    if wrong is not None:
        raise DataError(f"vocabulary: {wrong!r}, expected text")
    if len(set(tokens)) < len(tokens):
        twice = next(token for k, token in enumerate(tokens) if token in tokens[:k])
        raise DataError(f"vocabulary: {twice!r} occurs twice, expected once")
    if n_classes not in (None, len(tokens)):
        raise DataError(f"vocabulary: {len(tokens)} tokens, expected n_classes = {n_classes}")
    return tokens
