"""Recording from the Trainer of Hugging Face's transformers."""

from __future__ import annotations

from typing import Any

from hyperribbon.callbacks.schedule import Schedule, imported

_NAME = "hyperribbon.callbacks.TransformersRecorder"
_Callback: Any = imported("transformers", _NAME).TrainerCallback


class TransformersRecorder(_Callback):
    """Record a training of ``transformers.Trainer``.

    A dataset whose items are mappings, as the Trainer takes it, can be recorded as it is; its
    ``labels`` are the labels. If items have unequal lengths, give
    ``DataLoader(dataset, collate_fn=collator)`` with a collator that pads.

    Parameters
    ----------
    recorder : hyperribbon.Recorder or path
        A recorder; or the path of the store, followed by the other arguments of a recorder.
    every : int, optional
        Steps (``state.global_step``) between checkpoints; by default, every epoch ends with one.
        The model is also recorded before the first step and after the last.

    Examples
    --------
    ::

        recorder = hr.callbacks.TransformersRecorder(
            "runs/bert-0", dataset, test_inputs=test_dataset, network="BERT", every=100
        )
        Trainer(model, args, train_dataset=dataset, callbacks=[recorder]).train()
    """

    def __init__(self, recorder: Any, *arguments: Any, every: int | None = None, **named: Any):
        super().__init__()
        self.schedule = Schedule(recorder, *arguments, every=every, **named)

    @property
    def recorder(self):
        """The recorder."""
        return self.schedule.recorder

    def on_train_begin(self, args: Any, state: Any, control: Any, model: Any = None, **_: Any):
        """Record the model before the first step."""
        if state.is_world_process_zero:
            self.schedule.begin(model, state.global_step)

    def on_step_end(self, args: Any, state: Any, control: Any, model: Any = None, **_: Any):
        """Record the model every k steps, and after the last."""
        if state.is_world_process_zero:
            # Not when the training ends: the Trainer may have loaded the best model by then.
            last = control.should_training_stop or state.global_step >= state.max_steps
            self.schedule.after_step(model, state.global_step, last=last)

    def on_epoch_end(self, args: Any, state: Any, control: Any, model: Any = None, **_: Any):
        """Record the model after an epoch."""
        if state.is_world_process_zero:
            self.schedule.after_epoch(model, state.global_step)

    def on_train_end(self, args: Any, state: Any, control: Any, **_: Any):
        """Publish the store."""
        if state.is_world_process_zero:
            self.schedule.end()
