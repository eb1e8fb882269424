"""The registry of architectures: the files here, and networks of users. This imports no torch."""

from __future__ import annotations

from collections.abc import Callable
from inspect import Parameter, signature
from typing import Any, NamedTuple

from hyperribbon.errors import DataError
from hyperribbon.registry import Registry


class Network(NamedTuple):
    """An architecture.

    Attributes
    ----------
    build : callable or None
        Class or function that makes the network; None for a file of this package.
    any_size : bool
        Whether trained weights also take images of another size.
    linear_classifier : bool
        Whether it has the parts ``features`` and ``classifier``, a linear layer.
    """

    build: Callable[..., Any] | None = None
    any_size: bool = False
    linear_classifier: bool = False

    @property
    def parameters(self) -> dict[str, Parameter]:
        """Parameters by name, without the shape of the input and the number of classes."""
        assert self.build is not None
        _, _, *others = signature(self.build).parameters.values()
        return {parameter.name: parameter for parameter in others}


NETWORKS: Registry[Network] = Registry(
    "network",
    dict.fromkeys(
        ["fully_connected", "allcnn", "wide_resnet", "convmixer", "vit", "lenet", "resnet"],
        Network(),
    ),
)


def register_network(
    name: str,
    module_class: Callable[..., Any],
    *,
    any_size: bool = False,
    linear_classifier: bool = False,
) -> None:
    """Register an architecture of your own.

    Studies then train it under ``networks: {Mine: {architecture: name, width: 8}}``.

    Parameters
    ----------
    name : str
        The architecture, as configurations name it.
    module_class : type or callable
        Called as ``module_class(input_shape, n_classes, **parameters)``, it makes a
        ``torch.nn.Module`` that maps ``(B, *input_shape)`` to logits. The parameters are
        the keys of its section in a configuration; those with a default may be left out.
    any_size : bool
        Whether trained weights also take images of another size, as progressive resizing needs.
    linear_classifier : bool
        Whether the module consists of ``features``, (B, F), and ``classifier``, a linear layer on
        them, as learning of tasks by imprinting needs.

    Raises
    ------
    DataError
        If the name is taken, or the class does not take a shape and a number of classes.

    Examples
    --------
    >>> def softmax_regression(input_shape, n_classes, bias=True):
    ...     from math import prod
    ...     from torch import nn
    ...     return nn.Sequential(nn.Flatten(), nn.Linear(prod(input_shape), n_classes, bias))
    >>> register_network("softmax_regression", softmax_regression)
    >>> from hyperribbon.networks import build_network
    >>> net = build_network("softmax_regression", (1, 4, 4), 3, bias=False)
    >>> sum(p.numel() for p in net.parameters())
    48
    """
    expected = "expected a class or a function of (input_shape, n_classes, **parameters)"
    if not callable(module_class):
        raise DataError(f"network = {name!r}: {module_class!r}, {expected}")
    try:
        found = signature(module_class)
        found.bind_partial(None, None)
    except (TypeError, ValueError):
        own = getattr(module_class, "__name__", repr(module_class))
        raise DataError(f"network = {name!r}: {own}, {expected}") from None
    if any(p.kind is Parameter.VAR_POSITIONAL for p in list(found.parameters.values())[:2]):
        raise DataError(f"network = {name!r}: {module_class.__name__}{found}, {expected}")
    entry = Network(module_class, any_size, linear_classifier)
    NETWORKS.register(name, entry, definition=module_class)
