"""The steps at which predictions are recorded."""


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
