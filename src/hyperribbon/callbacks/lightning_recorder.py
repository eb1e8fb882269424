"""Recording from Lightning."""

from __future__ import annotations

import sys
from typing import Any

from hyperribbon.callbacks.schedule import Schedule, imported

# Lightning is one library under two names, whose trainers take each other's callbacks.
_NAME = "pytorch_lightning" if "pytorch_lightning" in sys.modules else "lightning.pytorch"
_Callback: Any = imported(_NAME, "hyperribbon.callbacks.LightningRecorder").Callback


class LightningRecorder(_Callback):
    """Record a training of Lightning.

    The module's ``forward`` must return logits, or what the recorder's ``outputs`` says. If an
    exception ends the training, what was recorded is kept, and the same training continues it.

    Parameters
    ----------
    recorder : hyperribbon.Recorder or path
        A recorder; or the path of the store, followed by the other arguments of a recorder.
    every : int, optional
        Steps (``trainer.global_step``) between checkpoints; by default, every epoch ends with one.
        The module is also recorded before the first step and after the last.

    Examples
    --------
    ::

        recorder = hr.callbacks.LightningRecorder(
            "runs/net-0", dataset, test_inputs=test_dataset, network="Net", every=100
        )
        Trainer(callbacks=[recorder]).fit(module, loader)
    """

    def __init__(self, recorder: Any, *arguments: Any, every: int | None = None, **named: Any):
        super().__init__()
        self.schedule = Schedule(recorder, *arguments, every=every, **named)

    @property
    def recorder(self):
        """The recorder."""
        return self.schedule.recorder

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:
        """Record the module before the first step."""
        if trainer.is_global_zero:
            self.schedule.begin(pl_module, trainer.global_step)

    def on_train_batch_end(self, trainer: Any, pl_module: Any, *_: Any) -> None:
        """Record the module every k steps."""
        if trainer.is_global_zero:
            self.schedule.after_step(pl_module, trainer.global_step)

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        """Record the module after an epoch."""
        if trainer.is_global_zero:
            self.schedule.after_epoch(pl_module, trainer.global_step)

    def on_train_end(self, trainer: Any, pl_module: Any) -> None:
        """Record the module after the last step, and publish the store."""
        if trainer.is_global_zero:
            self.schedule.after_epoch(pl_module, trainer.global_step, last=True)
            self.schedule.end()

    def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:
        """Keep what was recorded."""
        if trainer.is_global_zero:
            self.schedule.keep(exception)
