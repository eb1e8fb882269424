"""Checks and conversion of the network and the arrays that a `Problem` is given."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy
from torch.utils.data import DataLoader, Dataset

from hyperribbon.errors import DataError
from hyperribbon.probability.distributions import as_numpy

_BATCH_DEPENDENT = (nn.modules.batchnorm._BatchNorm, nn.modules.dropout._DropoutNd)
_PARALLEL = (nn.DataParallel, nn.parallel.DistributedDataParallel)


def as_network(network: nn.Module) -> nn.Module:
    """The network itself, without wrappers that compile it or distribute it over devices.

    Raises
    ------
    DataError
        If it is not a network, or its layers cannot be evaluated with other weights.
    """
    if not isinstance(network, nn.Module):
        raise DataError(f"network: {type(network).__name__}, expected a torch.nn.Module")
    network = getattr(network, "_orig_mod", network)
    network = network.module if isinstance(network, _PARALLEL) else network
    for name, module in network.named_modules():
        where = f"network: {type(module).__name__} {name!r}"
        if isinstance(module, torch.jit.ScriptModule):
            raise DataError(f"{where} is scripted or traced, so that its weights cannot be "
                            "exchanged; use the module that it was made from")  # fmt: skip
        if isinstance(module, _PARALLEL):
            raise DataError(f"{where} distributes samples over devices; replace it by its .module")
        if isinstance(module, _BATCH_DEPENDENT) and module.training:
            raise DataError(f"{where} is in training mode, where outputs depend on the batch or on "
                            "chance; call network.eval() first")  # fmt: skip
        if isinstance(module, _BATCH_DEPENDENT[0]) and module.running_mean is None:
            raise DataError(f"{where} keeps no running statistics, so that outputs depend on the "
                            "batch; expected track_running_stats=True")  # fmt: skip
        if isinstance(module, nn.RNNBase) and module.training and module.dropout:
            raise DataError(f"{where} applies dropout at random; call network.eval() first")
    return network


def trained_parameters(network: nn.Module, only: Collection[str] | None) -> dict[str, Tensor]:
    """The parameters that are the weights, by name: all that require a gradient, or some of them.

    Raises
    ------
    DataError
        If there are none, or they are not finite real numbers of one precision on one device.
    """
    for name, tensor in network.named_parameters():
        if is_lazy(tensor):
            raise DataError(f"{name}: no shape yet; run the network on a sample first")
        if tensor.is_meta:
            raise DataError(f"{name}: on the meta device, which holds no numbers; load the weights")
    every: dict[str, Tensor] = dict(network.named_parameters())
    trained = {k: p for k, p in every.items() if p.requires_grad}
    if not trained:
        raise DataError("network: no parameter requires a gradient, so it has no curvature")
    if only is not None:
        if isinstance(only, str) or not only:
            raise DataError(f"only = {only!r}: expected a list of names of parameters")
        unknown = sorted(set(only) - set(trained))
        if unknown:
            raise DataError(f"only = {unknown[0]!r}: expected one of {', '.join(trained)}")
        trained = {k: p for k, p in trained.items() if k in only}
    first_name, first = next(iter(trained.items()))
    for name, parameter in trained.items():
        if parameter.dtype not in (torch.float32, torch.float64):
            raise DataError(f"{name}: {parameter.dtype}, expected float32 or float64; call "
                            "network.double() first")  # fmt: skip
        if (parameter.dtype, parameter.device) != (first.dtype, first.device):
            here, there = (f"{p.dtype} on {p.device}" for p in (parameter, first))
            raise DataError(f"{name}: {here}, but {first_name} {there}; expected one precision and "
                            "one device, as network.to(device).double() makes")  # fmt: skip
        if not parameter.isfinite().all():
            raise DataError(f"{name}: contains NaN or infinity")
    return trained


def as_samples(array: Tensor | np.ndarray, name: str, like: Tensor) -> Tensor:
    """An array of samples (n, ...) as a tensor on a given device, real numbers in given precision.

    Parameters
    ----------
    array : Tensor, or anything that `hyperribbon.probability.distributions.as_numpy` takes
    name : name of the array in messages
    like : tensor that sets the device, and the precision of real numbers

    Raises
    ------
    DataError
        If it is not one array of finite real numbers with one sample or more.
    """
    if isinstance(array, DataLoader | Dataset):
        raise DataError(f"{name}: a {type(array).__name__}, expected one array (n, ...) of all "
                        "samples, such as torch.cat of its batches")  # fmt: skip
    if isinstance(array, Mapping):
        raise DataError(f"{name}: a {type(array).__name__}, expected one array (n, ...); wrap "
                        "a network with several inputs in a module with one")  # fmt: skip
    if isinstance(array, list | tuple) and any(isinstance(one, Tensor) for one in array):
        raise DataError(f"{name}: a {type(array).__name__} of tensors, expected one array "
                        "(n, ...), such as torch.stack of them")  # fmt: skip
    if isinstance(array, Tensor):
        tensor = array.detach()
        if tensor.is_meta:
            raise DataError(f"{name}: on the meta device, which holds no numbers")
        if tensor.layout != torch.strided or tensor.is_quantized:
            raise DataError(f"{name}: a sparse, nested or quantised tensor, expected a plain one")
        if tensor.is_complex():
            raise DataError(f"{name}: {tensor.dtype}, expected real numbers")
    else:
        found = as_numpy(array, name)
        kind = found.dtype.newbyteorder("=")
        if found.dtype.kind == "u" and kind.itemsize > 1:  # torch hardly supports these
            kind = np.dtype(np.int64)
        elif found.dtype.kind == "f" and kind.itemsize > 8:
            kind = np.dtype(np.float64)
        found = found.astype(kind, copy=False)
        tensor = torch.from_numpy(np.require(found, requirements=["C", "W"]))
    if tensor.ndim == 0 or not len(tensor):
        raise DataError(f"{name}: shape {tuple(tensor.shape)}, expected one sample or more")
    tensor = tensor.to(like.device)
    if tensor.is_floating_point():
        tensor = tensor.to(like.dtype)
        if not tensor.isfinite().all():
            raise DataError(f"{name}: contains NaN or infinity")
    return tensor
