"""Optimisers without torch's compiler, which takes longer to import than torch itself.

torch imports it only to tell it to keep out of the methods of optimisers. In a process that
compiles nothing, they compute the same without; should a version of torch be built otherwise, all
stays as it is.
"""

import torch
from torch import optim


def leave_compiler_out() -> None:
    """Take the compiler's marks off the methods of SGD, Adam and AdamW, for this process.

    >>> leave_compiler_out()
    """
    for name in ("add_param_group", "load_state_dict", "state_dict", "zero_grad"):
        method = getattr(getattr(optim.Optimizer, name), "__wrapped__", None)
        if method is not None:
            method.__dynamo_disable = (
                method  # where torch keeps what the compiler is to leave alone
            )
    for kind in (optim.SGD, optim.Adam):  # AdamW is an Adam
        step = getattr(kind.step, "__wrapped__", None)
        if step is not None and not getattr(kind.step, "hooked", False):
            kind.step = torch.no_grad()(step)  # type: ignore[method-assign]
