"""The steps at which predictions are recorded."""

from __future__ import annotations

from collections.abc import Iterable

from hyperribbon.config import Configuration
from hyperribbon.errors import ConfigError


def checkpoint_steps(epochs: int, steps_per_epoch: int) -> list[int]:
    """Checkpoint schedule of the thesis (3.5.1): dense early, sparse late.

    The checkpoints are initialisation; four per epoch in epochs 0-4; the end of every epoch 5-25,
    of every 4th epoch 28-64 and of every 15th from 75 on; and the last step. Shorter trainings use
    the beginning of the schedule.

    Parameters
    ----------
    epochs, steps_per_epoch : int
        At least 1.

    Returns
    -------
    list of int
        Increasing steps, from 0 to ``epochs * steps_per_epoch``.

    Examples
    --------
    >>> checkpoint_steps(epochs=7, steps_per_epoch=8)[:6], checkpoint_steps(7, 8)[-2:]
    ([0, 1, 3, 5, 7, 9], [48, 56])
    >>> len(checkpoint_steps(200, 250))
    67
    """
    last = epochs * steps_per_epoch
    quarter = max(1, steps_per_epoch // 4)
    steps = {0, last}
    for epoch in range(min(epochs, 5)):
        steps.update(epoch * steps_per_epoch + k + 1 for k in range(0, steps_per_epoch, quarter))
    ends = [*range(5, 26), *range(28, 65, 4), *range(75, epochs, 15)]
    steps.update((epoch + 1) * steps_per_epoch for epoch in ends if epoch < epochs)
    return sorted(steps)


def checkpoint_at(
    configuration: Configuration, epoch: float, steps_per_epoch: int | None = None
) -> int:
    """The step of the checkpoint that a training records at an epoch.

    Parameters
    ----------
    configuration : Configuration
        The training.
    epoch : float
        Passes that it has made, right to a step: early checkpoints are a step after full epochs.
    steps_per_epoch : int, optional
        Its steps per epoch; by default, what follows from the configuration.

    Raises
    ------
    ConfigError
        If nothing is recorded then, or the steps per epoch are not known before the data are read.
    """
    per_epoch = steps_per_epoch or configuration.steps_per_epoch()
    if per_epoch is None:
        raise ConfigError(
            f"{configuration.label}: its steps per epoch are not known before the data are read, "
            "expected classes of equal size"
        )
    steps = checkpoint_steps(configuration.training.epochs, per_epoch)
    step = min(steps, key=lambda step: abs(step - epoch * per_epoch))
    if abs(step - epoch * per_epoch) > 1 + 1e-9:
        recorded = ", ".join(f"{step / per_epoch:.4g}" for step in steps)
        raise ConfigError(
            f"{configuration.label}: nothing is recorded at epoch {epoch:g}, expected one of "
            f"{recorded}"
        )
    return step


def keeping(configuration: Configuration, epochs: Iterable[float]) -> Configuration:
    """The same training, which also keeps the weights of some of its checkpoints.

    Parameters
    ----------
    configuration : Configuration
        The training.
    epochs : iterable of float
        When, as in `checkpoint_at`.

    Raises
    ------
    ConfigError
        As raised by `checkpoint_at`.
    """
    training = configuration.training
    per_epoch = configuration.steps_per_epoch()
    if per_epoch is None:  # the checkpoints are checked when the data are known
        fractions = {min(1.0, epoch / training.epochs) for epoch in epochs}
    else:
        steps = [checkpoint_at(configuration, epoch) for epoch in epochs]
        fractions = {step / (training.epochs * per_epoch) for step in steps}
    kept = tuple(sorted(fractions.union(training.keep_weights)))
    return configuration.model_copy(
        update={"training": training.model_copy(update={"keep_weights": kept})}
    )
