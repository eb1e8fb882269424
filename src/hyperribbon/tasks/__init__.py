"""The space of tasks: models of different tasks in one prediction space (thesis 3).

`imprint` maps a network to the classes of another task, through the features of its backbone.
Begin there; `linear_probe` and `prototypes` are what it is compared with. A `ClassTree` makes tasks
of classes, and `mantel` says whether distances between tasks agree with it.
"""

from hyperribbon.tasks.accuracy import error_within
from hyperribbon.tasks.agreement import Mantel, cophenetic, mantel
from hyperribbon.tasks.class_sums import ClassSums, refuse_empty_classes
from hyperribbon.tasks.class_tree import ClassTree, random_classes
from hyperribbon.tasks.imprinting import imprint, imprinted_predictions
from hyperribbon.tasks.probes import (
    LinearProbe,
    linear_probe,
    prototype_predictions,
    prototypes,
)

__all__ = [
    "ClassSums",
    "ClassTree",
    "LinearProbe",
    "Mantel",
    "cophenetic",
    "error_within",
    "imprint",
    "imprinted_predictions",
    "linear_probe",
    "mantel",
    "prototype_predictions",
    "prototypes",
    "random_classes",
    "refuse_empty_classes",
]
