"""Callbacks that record a training of Lightning, Hugging Face's Trainer or Keras.

Each takes a `hyperribbon.Recorder`, or its arguments, and records at the start, every k steps or at
the end of every epoch, and publishes the store when the training ends. None of the three libraries
is imported until its callback is.

======================  ======================================
callback                for
======================  ======================================
`LightningRecorder`     ``lightning.pytorch.Trainer.fit``
`TransformersRecorder`  ``transformers.Trainer.train``
`KerasRecorder`         ``model.fit`` of Keras, on any backend
======================  ======================================
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hyperribbon.callbacks.keras_recorder import KerasRecorder
    from hyperribbon.callbacks.lightning_recorder import LightningRecorder
    from hyperribbon.callbacks.transformers_recorder import TransformersRecorder

__all__ = ["KerasRecorder", "LightningRecorder", "TransformersRecorder"]

_HOMES = {
    "KerasRecorder": "keras_recorder",
    "LightningRecorder": "lightning_recorder",
    "TransformersRecorder": "transformers_recorder",
}


def __getattr__(name: str):
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
