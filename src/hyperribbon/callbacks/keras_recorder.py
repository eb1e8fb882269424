"""Recording from Keras, on any backend."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hyperribbon.callbacks.schedule import Schedule, imported

_Callback: Any = imported("keras", "hyperribbon.callbacks.KerasRecorder").callbacks.Callback


class KerasRecorder(_Callback):
    """Record a training of Keras.

    If the model ends in a softmax or sigmoid, say ``outputs="probabilities"``.

    Parameters
    ----------
    recorder : hyperribbon.Recorder or path
        A recorder; or the path of the store, followed by the other arguments of a recorder.
    every : int, optional
        Steps (batches, all epochs together) between checkpoints; by default, every epoch ends with
        one. The model is also recorded before the first step and after the last epoch.

    Examples
    --------
    ::

        recorder = hr.callbacks.KerasRecorder(
            "runs/net-0", x, y, outputs="probabilities", network="Net", every=100
        )
        model.fit(x, y, callbacks=[recorder])
    """

    def __init__(self, recorder: Any, *arguments: Any, every: int | None = None, **named: Any):
        super().__init__()
        self.schedule = Schedule(recorder, *arguments, every=every, **named)
        self._epoch_start = self._step = 0

    @property
    def recorder(self):
        """The recorder."""
        return self.schedule.recorder

    def on_train_begin(self, logs: Any = None) -> None:
        """Record the model before the first step."""
        self._step = int(self.model.optimizer.iterations.numpy())
        self.schedule.begin(self._predict(), self._step)

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Count from here."""
        self._epoch_start = self._step

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Record the model every k steps."""
        self._step = self._epoch_start + batch + 1
        self.schedule.after_step(self._predict(), self._step)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Record the model after an epoch."""
        # Not when the training ends: another callback may have restored the best weights by then.
        last = self.model.stop_training or epoch == self.params["epochs"] - 1
        self.schedule.after_epoch(self._predict(), self._step, last=last)

    def on_train_end(self, logs: Any = None) -> None:
        """Publish the store."""
        self.schedule.end()

    def _predict(self) -> Callable:
        """The model as it is evaluated, as a function of a batch."""
        model = self.model

        def predict(*batch: Any, **named: Any) -> Any:
            if hasattr(model, "jax_state_sync"):  # weights are elsewhere while it is trained
                model.jax_state_sync()
            return model(named or batch[0], training=False)

        return predict
