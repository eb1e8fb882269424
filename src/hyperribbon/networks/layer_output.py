"""The output of a layer inside a network, of this package or another."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from hyperribbon.errors import DataError

_NAMED = 20  # layers that a message names


class LayerOutput:
    """The output of a layer as a function of the network's inputs; the layers after it do not run.

    Hooked to the network itself until `remove`, or until its ``with`` block ends.

    Parameters
    ----------
    network : torch.nn.Module
        Any network.
    layer : str
        Name of the layer in ``network.named_modules()``; ``""`` for the whole network. Of a layer
        that the network calls several times, the first output counts.

    Raises
    ------
    DataError
        If the network has no such layer.

    Examples
    --------
    >>> import torch
    >>> network = nn.Sequential(nn.Linear(2, 5), nn.Tanh(), nn.Linear(5, 3))
    >>> with LayerOutput(network, "1") as output:
    ...     output(torch.zeros(4, 2)).shape
    torch.Size([4, 5])
    """

    def __init__(self, network: nn.Module, layer: str):
        layers = dict(network.named_modules())
        if layer not in layers:
            names = [name for name in layers if name]
            known = ", ".join(names[:_NAMED]) + ", ..." * (len(names) > _NAMED)
            raise DataError(f"layer {layer}: the network has none of that name; it has {known}")
        self._network, self._layer = network, layer
        self._hook = layers[layer].register_forward_hook(self._stop)

    def __enter__(self) -> LayerOutput:
        return self

    def __exit__(self, *error) -> None:
        self.remove()

    def remove(self) -> None:
        """Leave the network as it was."""
        self._hook.remove()

    def __call__(self, *inputs, **named) -> Any:
        """What the layer returns for a batch of inputs.

        Raises
        ------
        DataError
            If the network does not call the layer.
        """
        try:
            self._network(*inputs, **named)
        except _ReachedError as reached:
            if reached.by is self:
                return reached.output
            raise
        raise DataError(f"layer {self._layer}: the network does not call it")

    def _stop(self, layer: nn.Module, inputs: tuple, output: Any) -> None:
        raise _ReachedError(self, output)


class _ReachedError(Exception):
    """Ends the forward pass at a layer, whose output it carries."""

    def __init__(self, by: LayerOutput, output: Any):
        self.by, self.output = by, output


def flat_rows(output: Any, n: int, layer: str) -> Tensor:
    """Activations (n, F) of a layer, flattened; a DataError unless they are one row per input."""
    if not isinstance(output, Tensor) or output.ndim == 0 or len(output) != n:
        given = tuple(output.shape) if isinstance(output, Tensor) else type(output).__name__
        raise DataError(f"layer {layer}: returns {given}, expected one row for each input")
    return output.reshape(n, -1)
