"""What the callbacks of all libraries share: when they record."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType
from typing import Any

from hyperribbon.errors import ConfigError, MissingExtra
from hyperribbon.probability.distributions import check_size
from hyperribbon.recording.recorder import Recorder


class Schedule:
    """Records a model at the start, every k steps or every epoch, and at the end of a training.

    Parameters
    ----------
    recorder : Recorder or path
        A recorder, or the path of one that is made from ``arguments``.
    every : int, optional
        Optimiser steps between checkpoints; by default, every epoch ends with one.
    arguments
        Further arguments of `hyperribbon.Recorder`.

    Raises
    ------
    ConfigError
        If arguments are given next to a recorder.
    """

    def __init__(self, recorder: Any, *arguments: Any, every: int | None = None, **named: Any):
        if isinstance(recorder, Recorder):
            if arguments or named:
                raise ConfigError("recorder: given with arguments of another; expected one of them")
            self.recorder = recorder
        else:
            self.recorder = Recorder(recorder, *arguments, **named)
        self.every = None if every is None else check_size(every, "every", most=None)
        self._begun = False
        self._last = -1  # the step after which the last checkpoint was due

    def begin(self, model: Any, step: int) -> None:
        """Record the model with which a training begins, unless its step is published already."""
        if self._begun:  # the callback is used again
            self.keep()
            self.recorder.__enter__()
        self._begun, self._last = True, step
        if step != max(self.recorder.published, default=-1):
            self.recorder.checkpoint(model, step)

    def after_step(self, model: Any, step: int, *, last: bool = False) -> None:
        """Record the model after some steps if a checkpoint is due."""
        if self.every is not None and (last or step // self.every > self._last // self.every):
            self._record(model, step)

    def after_epoch(self, model: Any, step: int, *, last: bool = False) -> None:
        """Record the model after an epoch if a checkpoint is due."""
        if self.every is None or last:
            self._record(model, step)

    def end(self) -> None:
        """Publish the store."""
        self.recorder.finish()

    def keep(self, error: BaseException | None = None) -> None:
        """Leave the recording as it is, to be continued: an error ended the training."""
        self.recorder.__exit__(type(error or RuntimeError()), error, None)

    def _record(self, model: Any, step: int) -> None:
        if step > self._last:  # not with every batch if gradients are accumulated
            self._last = step
            self.recorder.checkpoint(model, step)


def imported(module: str, callback: str) -> ModuleType:
    """The library of a callback; a MissingExtra that says how to install it."""
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        package = module.split(".")[0]
        if error.name is None or error.name.split(".")[0] != package:
            raise  # something that the package itself lacks
        raise MissingExtra(
            f"{callback} needs {package}, which is not installed: pip install {package}"
        ) from None
