"""The space of tasks: models of different tasks in one prediction space (thesis 3).

`imprint` maps a network to the classes of another task, through the features of its backbone.
Begin there.
"""

from hyperribbon.tasks.imprinting import Imprinting, imprint, imprinted_predictions

__all__ = ["Imprinting", "imprint", "imprinted_predictions"]
