"""The space of tasks: models of different tasks in one prediction space (thesis 3).

`imprint` maps a network to the classes of another task, through the features of its backbone.
Begin there; `linear_probe` and `prototypes` are what it is compared with.
"""

from hyperribbon.tasks.class_sums import ClassSums
from hyperribbon.tasks.imprinting import imprint, imprinted_predictions
from hyperribbon.tasks.probes import (
    LinearProbe,
    linear_probe,
    prototype_predictions,
    prototypes,
)

__all__ = [
    "ClassSums",
    "LinearProbe",
    "imprint",
    "imprinted_predictions",
    "linear_probe",
    "prototype_predictions",
    "prototypes",
]
