"""Torch modules: evaluated without changing anything in the training around it.

Imported only if torch is, because only then a model can be a torch module.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, nullcontext
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.modules.module import register_module_forward_pre_hook

from hyperribbon.errors import DataError

_FLOATING = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
_WRAPPERS = (nn.DataParallel, nn.parallel.DistributedDataParallel)


def unwrapped(model: Any) -> Any:
    """The model without DataParallel."""
    while isinstance(model, _WRAPPERS):
        model = model.module
    return model


def device_of(model: Any, name: str) -> torch.device | None:
    """Device of a torch module; None for a module without tensors.

    For anything else, the device whose random numbers it may use.
    """
    if not isinstance(model, nn.Module):
        return torch.device("cuda") if torch.cuda.is_initialized() else None
    devices = [tensor.device for tensor in [*model.parameters(), *model.buffers()]]
    real = [device for device in devices if device.type != "meta"]
    if devices and not real:
        raise DataError(f"{name}: the model is on the meta device, where tensors hold no numbers")
    return real[0] if real else None


def as_tensors(batch: Mapping[str, Any], model: nn.Module, split: str, name: str) -> dict:
    """A batch as tensors on the module's device, floating-point ones in its type.

    Its type is that of its parameters; if they have several, tensors keep theirs.
    """
    parameters = model.parameters()
    types = {parameter.dtype for parameter in parameters if parameter.is_floating_point()}
    dtype = types.pop() if len(types) == 1 and types <= set(_FLOATING) else None
    device, found = device_of(model, name), {}
    for key, rows in batch.items():
        tensor = as_tensor(rows, f"{split} {key}")
        found[key] = tensor.to(device=device, dtype=dtype if tensor.is_floating_point() else None)
    return found


def as_tensor(rows: Any, name: str) -> Tensor:
    """Rows of any array of numbers as a tensor."""
    if isinstance(rows, Tensor):
        return rows
    if hasattr(rows, "toarray"):
        rows = rows.toarray()
    elif hasattr(rows, "dtypes") and all(kind.kind in "buif" for kind in np.ravel(rows.dtypes)):
        mixed = rows.to_numpy().dtype == object  # such as booleans next to numbers
        rows = rows.to_numpy(np.float64 if mixed else None)
    try:
        array = np.asarray(rows)
    except ValueError:  # ragged
        array = np.empty(0, object)
    if array.dtype.kind not in "buifc":
        kind = type(rows).__name__
        raise DataError(f"{name}: {kind} of {array.dtype}, expected numbers for a torch module")
    if array.dtype.kind == "f" and array.dtype.itemsize > 8:
        array = array.astype(np.float64)
    return torch.from_numpy(np.array(array, order="C"))


@contextmanager
def evaluating(model: Any) -> Iterator[None]:
    """Every torch module that runs is in evaluation mode, and has its former mode afterwards.

    No gradients, no autocast, full float32 products, nothing compiled.
    """
    modes: dict[nn.Module, bool] = {}

    def evaluated(module: nn.Module, *_: object) -> None:
        """Put a module in evaluation mode, with all of its submodules."""
        parts = [part for part in module.modules() if part not in modes]
        # All modes are read before any is set, because a compiled module shares the mode of the
        # module in it. A frozen script has none.
        found = {part: part.training for part in parts if hasattr(part, "training")}
        for part in found:
            part.training = False
        modes.update(found)

    # Compiled networks run uncompiled: the compiler cannot follow the hook, and would compile again
    # for evaluation. If its module is not imported, nothing is compiled.
    eager = "torch._dynamo" in sys.modules
    stance = torch.compiler.set_stance("force_eager") if eager else nullcontext()
    hook = register_module_forward_pre_hook(evaluated)  # for modules that are not part of the model
    try:
        for owner in (model, getattr(model, "__self__", None)):
            if isinstance(owner, nn.Module):
                evaluated(owner)
        with torch.no_grad(), full_precision(), stance, warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Using `torch.compile.*global hooks")
            yield
    finally:
        hook.remove()
        for part, mode in reversed(modes.items()):
            part.training = mode


@contextmanager
def full_precision() -> Iterator[None]:
    """Turn off autocast, and the rounding of float32 to TensorFloat-32 or bfloat16 in products."""
    backends: Any = torch.backends  # whose stubs lack the newer settings
    places = [
        *(backends.cuda.matmul, backends.cudnn.conv, backends.cudnn.rnn),
        *(backends.mkldnn.matmul, backends.mkldnn.conv, backends.mkldnn.rnn),
    ]
    with ExitStack() as stack:
        for kind in ("cpu", "cuda", "mps", "xpu"):
            if torch.is_autocast_enabled(kind):
                stack.enter_context(torch.autocast(kind, enabled=False))
        for place in places:
            stack.callback(setattr, place, "fp32_precision", place.fp32_precision)
        # Torch has a second, older interface to the same settings. Reading it fails while the two
        # disagree, as they do if only the newer one was used; if reading works, both are set.
        try:
            precision, tf32 = torch.get_float32_matmul_precision(), backends.cudnn.allow_tf32
        except RuntimeError:
            pass
        else:
            stack.callback(torch.set_float32_matmul_precision, precision)
            stack.callback(setattr, backends.cudnn, "allow_tf32", tf32)
            torch.set_float32_matmul_precision("highest")
            backends.cudnn.allow_tf32 = False
        for place in places:
            place.fp32_precision = "ieee"
        yield
