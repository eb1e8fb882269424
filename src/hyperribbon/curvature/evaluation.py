"""Evaluation of networks such that every derivative exists and is correct."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.utils.parametrizations import _WeightNorm
from torch.overrides import TorchFunctionMode


class Evaluation:
    """A context in which the layers of a network are evaluated differentiably.

    - Attention uses plain products and recurrent layers run step by step, because the fused kernels
      lack derivatives.
    - Weight normalisation uses plain products, because torch's own rule has wrong second
    derivatives
      (in torch 2.13, ``torch.autograd.functional.hessian`` of ``torch._weight_norm`` is not
      symmetric).
    - Compiled code runs eagerly, and without autocast to half precision.

    Parameters
    ----------
    network : nn.Module
    device : device of the network's parameters
    """

    def __init__(self, network: nn.Module, device: torch.device):
        self._device = device
        self._recurrent = any(isinstance(m, nn.RNNBase) for m in network.modules())
        self._normalised = any(map(_normalises, network.modules()))

    @contextmanager
    def __call__(self) -> Iterator[None]:
        """Evaluate the network differentiably inside a ``with`` statement."""
        fast = torch.backends.mha.get_fastpath_enabled()
        with ExitStack() as stack:
            stack.callback(torch.backends.mha.set_fastpath_enabled, fast)
            torch.backends.mha.set_fastpath_enabled(False)
            stack.enter_context(sdpa_kernel(SDPBackend.MATH))
            stack.enter_context(torch.autocast(self._device.type, enabled=False))
            if self._recurrent:
                stack.enter_context(torch.backends.mkldnn.flags(enabled=False))
                stack.enter_context(torch.backends.cudnn.flags(enabled=False))
            if self._normalised:
                stack.enter_context(_PlainWeightNorm())
            if "torch._dynamo" in sys.modules:
                stack.enter_context(torch.compiler.set_stance("force_eager"))
            yield


def _normalises(module: nn.Module) -> bool:
    old = any(type(hook).__name__ == "WeightNorm" for hook in module._forward_pre_hooks.values())
    return old or isinstance(module, _WeightNorm)


class _PlainWeightNorm(TorchFunctionMode):
    def __torch_function__(self, function, types, args=(), kwargs=None) -> Tensor:
        if function is torch._weight_norm:
            v, g, dim = args
            return v * (g / torch.norm_except_dim(v, 2, dim))
        return function(*args, **(kwargs or {}))
