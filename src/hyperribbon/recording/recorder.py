"""Recording from any training loop."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

from hyperribbon.errors import ConfigError, DataError
from hyperribbon.probability.distributions import check_size
from hyperribbon.recording.arrays import as_labels
from hyperribbon.recording.evaluation import Outputs, evaluate
from hyperribbon.recording.imprinted import ImprintedFeatures
from hyperribbon.recording.recording import Recording
from hyperribbon.recording.samples import Samples
from hyperribbon.tasks.class_sums import refuse_empty_classes


class Recorder:
    """Record the predictions of a network, checkpoint by checkpoint, from any training loop.

    Each checkpoint is kept as soon as it is made, in ``<name>.recording`` next to ``<name>.zarr``.
    When the ``with`` block ends, the store is published. If an exception ends it, or the process is
    killed, a Recorder of the same training continues from what was kept. A training that then
    starts again from an earlier step replaces the later checkpoints, with a warning. A published
    store can also be continued, but no checkpoint in it is ever replaced.

    Parameters
    ----------
    path : path
        The store to publish, ending in .zarr.
    inputs : array-like of shape (N, ...), or mapping
        Samples as the model takes them; a mapping is passed as keyword arguments. A torch module
        gets tensors, floating-point ones in the type of its parameters. Any other callable gets its
        samples as they are here, whether in a DataFrame, a sparse matrix or an array of JAX.
    labels : array-like of int, shape (N,)
        True classes from 0; class c is column c of the outputs.
    test_inputs, test_labels : optional
        The same for test samples. Studies need them; functions of arrays do not.
    network, optimiser : str
        Names in tables and figures, of letters, digits, - and _.
    seed : int
        Trainings that differ only by the seed are one configuration.
    n_classes : int, optional
        Number of classes, C, at least two; by default that of the first outputs.
    steps_per_epoch : float, optional
        Steps per epoch, for epochs in tables and figures.
    outputs : {"logits", "probabilities"}, optional
        What the model returns: logits, which may be log-probabilities, the default, or
        probabilities, as after a softmax.
    features : str or callable, optional
        Record what is imprinted from features instead of the outputs (`hyperribbon.imprint`): at
        each checkpoint, every class gets weights from the train samples, for the predictions of
        train and test samples. The labels may be of classes on which the network was never trained.
        Give the name of a layer in ``model.named_modules()``, whose output is flattened, or a
        function that is called with the model and a batch and returns (n, F).
    batch_size : int
        Samples per call of the model.
    metadata : mapping, optional
        Anything else that JSON can hold, kept with the store.

    Raises
    ------
    ConfigError
        If the path, a name or another word is malformed.
    DataError
        If inputs and labels do not agree, or a number is not what it should be; or if features are
        to be imprinted and a class has no train samples.
    StoreError
        On entering, if an earlier recording there has other samples, another order, or other
        labels, classes, names, seed or metadata; or if another process records there.

    Examples
    --------
    >>> import tempfile, torch, hyperribbon as hr
    >>> x, y = torch.randn(60, 8), torch.arange(60) % 3
    >>> model = torch.nn.Linear(8, 3)
    >>> with tempfile.TemporaryDirectory() as runs:
    ...     with hr.Recorder(f"{runs}/linear.zarr", x, y, network="Linear") as rec:
    ...         for step in range(0, 30, 10):
    ...             rec.checkpoint(model, step=step)
    ...     rec.steps
    [0, 10, 20]

    A network of other classes, mapped to these by the features before its head:

    >>> other = torch.nn.Sequential(torch.nn.Linear(8, 5), torch.nn.ReLU(), torch.nn.Linear(5, 2))
    >>> with tempfile.TemporaryDirectory() as runs:
    ...     with hr.Recorder(f"{runs}/mapped.zarr", x, y, network="Other", features="1") as rec:
    ...         rec.checkpoint(other, step=0)
    """

    def __init__(
        self,
        path: str | Path,
        inputs,
        labels,
        *,
        network: str,
        optimiser: str = "unknown",
        seed: int = 0,
        test_inputs=None,
        test_labels=None,
        n_classes: int | None = None,
        steps_per_epoch: float | None = None,
        outputs: Literal["logits", "probabilities"] | None = None,
        features: str | Callable | None = None,
        batch_size: int = 500,
        metadata: Mapping[str, object] | None = None,
    ):
        if outputs not in (None, "logits", "probabilities"):
            raise ConfigError(f'outputs = {outputs!r}: expected "logits" or "probabilities"')
        if (test_inputs is None) != (test_labels is None):
            raise ConfigError("test_inputs, test_labels: one without the other; expected both")
        if features is not None and outputs is not None:
            raise ConfigError("outputs, features: both given; features are neither kind of output")
        if not (features is None or isinstance(features, str) or callable(features)):
            expected = "the name of a layer, or a function of the model and a batch"
            raise ConfigError(f"features = {features!r}: expected {expected}")
        self._logits = outputs != "probabilities"
        self._batch_size = check_size(batch_size, "batch_size", most=None)
        given = {"train": (inputs, labels)}
        if test_inputs is not None:
            given["test"] = test_inputs, test_labels
        known = {split: as_labels(pair[1], f"{split} labels") for split, pair in given.items()}
        self._samples = {split: Samples(pair[0], split) for split, pair in given.items()}
        for split, samples in self._samples.items():
            if set(samples.counts.values()) != {len(known[split])}:
                counts = ", ".join(f"{name} ({count})" for name, count in samples.counts.items())
                listed = isinstance(given[split][0], list | tuple)
                hint = "; give several inputs of a model as a mapping, by their names"
                raise DataError(
                    f"{split}: {len(known[split])} labels, expected as many as {counts}"
                    + hint * listed
                )
        self._features = None
        if features is not None:
            most = 1 + max(int(labels.max()) for labels in known.values())
            n_classes = most if n_classes is None else n_classes
            n_classes = check_size(n_classes, "n_classes", least=max(2, most), most=2**31)
            refuse_empty_classes(known["train"], n_classes, name="train labels")
            self._features = ImprintedFeatures(features, known["train"], n_classes)
            if isinstance(metadata or {}, Mapping):  # anything else is refused below
                # So that it counts for what is the same configuration.
                metadata = {**(metadata or {}), "imprinted_features": self._features.described}
        self._recording = Recording(
            path,
            known,
            {split: samples.sha256() for split, samples in self._samples.items()},
            network=network,
            optimiser=optimiser,
            seed=seed,
            n_classes=n_classes,
            steps_per_epoch=steps_per_epoch,
            metadata=metadata,
        )

    def __enter__(self) -> Recorder:
        self._recording.__enter__()
        return self

    def __exit__(self, *error) -> None:
        self._recording.__exit__(*error)

    @property
    def steps(self) -> list[int]:
        """Steps recorded so far."""
        return self._recording.steps

    def checkpoint(self, model: Callable, *, step: int) -> None:
        """Record the predictions of a model on all samples.

        Torch modules, whether the model itself or modules that it calls, run in evaluation mode,
        without gradients, outside autocast, and without products in TensorFloat-32 or bfloat16,
        even if torch is set to use them; the model runs on its device, without DataParallel.
        Afterwards every submodule is in its former mode, and global random numbers continue as if
        nothing had happened. Any other callable gets the inputs as they are.

        A model must predict the same twice. The first batch is evaluated a second time; all are if
        the model draws from the global random numbers of Python, NumPy or torch.

        Parameters
        ----------
        model : callable
            Called with a batch; returns (n, C), or an object with such an attribute ``logits``. If
            features are recorded, the model that has the layer, or what their function takes.
        step : int
            Optimiser steps taken, more than at the previous checkpoint.

        Raises
        ------
        DataError
            If the step does not increase, if inputs were changed in place, or if outputs do not
            have the shape (N, C), are not finite, differ between two calls, are probabilities where
            logits are expected or, as probabilities, do not sum to 1; or if the model has no such
            layer, it does not return one row per input, or a class has features that are not finite
            or sum to zero.
        StoreError
            If the step is published already, or the recorder is used outside its block.
        """
        step = self._recording.check_next(step)
        for samples in self._samples.values():
            samples.check_unchanged()
        predictions = evaluate(
            model,
            self._samples,
            self._features or Outputs(self._logits),
            batch_size=self._batch_size,
            name=f"step {step}",
        )
        self._recording.add(step, predictions)
