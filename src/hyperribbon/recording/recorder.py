"""Recording from any training loop."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from hyperribbon.errors import ConfigError, DataError, StoreError
from hyperribbon.probability.distributions import check_size
from hyperribbon.recording.datasets import is_dataset, read_dataset, split_labels
from hyperribbon.recording.evaluation import evaluate
from hyperribbon.recording.labels import IGNORED, Labels, read_labels
from hyperribbon.recording.outputs import Outputs
from hyperribbon.recording.recording import Recording
from hyperribbon.recording.samples import Samples
from hyperribbon.recording.tokens import as_vocabulary
from hyperribbon.recording.top_classes import check_top

logger = logging.getLogger(__name__)


class Recorder:
    """Record the predictions of a network, checkpoint by checkpoint, from any training loop.

    Each checkpoint is kept as soon as it is made, in ``<name>.recording`` next to ``<name>.zarr``.
    `finish`, or the end of a ``with`` block, publishes the store. If an exception ends the block,
    or the process is killed, a Recorder of the same training continues from what was kept. A
    training that then starts again from an earlier step replaces the later checkpoints, with a
    warning. A published store can also be continued, but no checkpoint in it is ever replaced.

    If a training diverges, and its predictions are no longer finite, the store says at which step
    (``diverged_step``), with a warning; later checkpoints are left out.

    Parameters
    ----------
    path : path
        The store to publish; .zarr is added if it is missing.
    inputs : array-like of shape (N, ...), mapping, Dataset or DataLoader
        Samples as the model takes them; a mapping is passed as keyword arguments. A torch module
        gets tensors, floating-point ones in the type of its parameters. Any other callable gets its
        samples as they are here, whether in a DataFrame, a sparse matrix or an array of JAX. A
        Dataset, of torch or Hugging Face, is read into memory, twice, to find augmentation; a
        DataLoader is read through its dataset, in the dataset's order, even if it shuffles.
    labels : array-like of shape (N,), or (N, T) for T tokens per sample
        True classes: integers from 0, class c being column c of the outputs, or names, whose sorted
        order is that of the columns. Samples and tokens with label -100 are left out. By default,
        the labels of the dataset, or the entry ``labels`` of a mapping. A label is that of its own
        position: for a language model, which predicts the next token, shift them yourself.
    test_inputs, test_labels : optional
        The same for test samples, which may also be given alone. Studies need both.
    network, optimiser : str
        Names in tables and figures.
    seed : int
        Trainings that differ only by the seed are one configuration.
    n_classes : int, optional
        Number of classes, C, at least two; by default that of the first outputs.
    steps_per_epoch : float, optional
        Steps per epoch, for epochs in tables and figures.
    outputs : {"logits", "probabilities"}, optional
        What the model returns: logits, which may be log-probabilities, or probabilities, as after a
        softmax. By default, ``predict_proba`` returns probabilities, and anything else logits. A
        single column, z or p, is of the second of two classes: it becomes the logits (0, z) or the
        probabilities (1 - p, p).
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
    form : {"float32", "sqrt_float16"}
        How predictions are stored. The second, square roots in half precision, takes half the space
        and changes a distance by at most 1e-3 nats, and by 1e-5 or less as a rule.
    vocabulary : sequence of str or mapping, optional
        The token that each of the C classes is, or a tokenizer's mapping from tokens to classes.
        Recordings of different vocabularies are not taken together.
    top_classes, test_top_classes : array-like of shape (M, k), optional
        Keep k classes for each of the M train (or test) samples or tokens that count, and add up
        all others; see `hyperribbon.top_classes`, which chooses them, and
        `hyperribbon.distance_bounds`. Must be the same in all recordings; needs ``n_classes`` or a
        vocabulary.

    Raises
    ------
    ConfigError
        If the path, a name or another word is malformed.
    DataError
        If inputs and labels do not agree, or a number is not what it should be; if two readings of
        a dataset differ; or if features are to be imprinted and a class has no train samples.
    StoreError
        On entering, or else at the first checkpoint, if an earlier recording there has other
        samples, another order, or other labels, classes, names, seed or metadata; or if another
        process records there.

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

    Without a block, and an estimator, whose labels are names:

    >>> from sklearn.linear_model import SGDClassifier
    >>> names = [["cat", "dog", "frog"][k] for k in y]
    >>> estimator = SGDClassifier(loss="log_loss").fit(x.numpy(), names)
    >>> with tempfile.TemporaryDirectory() as runs:
    ...     rec = hr.Recorder(f"{runs}/sgd", x.numpy(), names, network="SGD (log loss)")
    ...     rec.checkpoint(estimator, 1)
    ...     rec.finish()

    A network of other classes, mapped to these by the features before its head:

    >>> other = torch.nn.Sequential(torch.nn.Linear(8, 5), torch.nn.ReLU(), torch.nn.Linear(5, 2))
    >>> with tempfile.TemporaryDirectory() as runs:
    ...     with hr.Recorder(f"{runs}/mapped.zarr", x, y, network="Other", features="1") as rec:
    ...         rec.checkpoint(other, step=0)
    """

    def __init__(
        self,
        path: str | Path,
        inputs=None,
        labels=None,
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
        form: str = "float32",
        vocabulary: Sequence[str] | Mapping[str, int] | None = None,
        top_classes=None,
        test_top_classes=None,
    ):
        if outputs not in (None, "logits", "probabilities"):
            raise ConfigError(f'outputs = {outputs!r}: expected "logits" or "probabilities"')
        if features is not None and outputs is not None:
            raise ConfigError("outputs, features: both given; features are neither kind of output")
        if not (features is None or isinstance(features, str) or callable(features)):
            expected = "the name of a layer, or a function of the model and a batch"
            raise ConfigError(f"features = {features!r}: expected {expected}")
        self._logits = None if outputs is None else outputs == "logits"
        self._batch_size = check_size(batch_size, "batch_size", most=None)
        if n_classes is not None:
            n_classes = check_size(
                n_classes, "n_classes", least=2 if features is None else 0, most=2**31
            )
        vocabulary = as_vocabulary(vocabulary, n_classes)
        n_classes = len(vocabulary) if vocabulary is not None else n_classes
        given = {"train": (inputs, labels), "test": (test_inputs, test_labels)}
        given = {split: _read(*pair, split) for split, pair in given.items() if _any(*pair)}
        if not given:
            raise ConfigError("inputs, test_inputs: neither given; expected one or both")
        if features is not None and "train" not in given:
            raise ConfigError("features: without inputs, from whose labels classes are imprinted")
        known = {split: pair[1] for split, pair in given.items()}
        self._labels, self._class_names = read_labels(known, n_classes)
        self._all_classes = n_classes  # of the outputs
        tops = {"train": top_classes, "test": test_top_classes}
        if any(top is not None for top in tops.values()):
            self._keep_top(tops, features)
        self._samples = {split: Samples(pair[0], split) for split, pair in given.items()}
        for split, samples in self._samples.items():
            _check_counts(samples, self._labels[split], given[split][0])
        self._features: Any = None
        if features is not None:
            from hyperribbon.recording.imprinted import ImprintedFeatures

            n_classes = self._check_imprinted(n_classes)
            train = self._labels["train"].classes
            self._features = ImprintedFeatures(features, train, n_classes)
            if isinstance(metadata or {}, Mapping):  # anything else is refused below
                # So that it counts for what is the same configuration.
                metadata = {**(metadata or {}), "imprinted_features": self._features.described}
        self._recording = Recording(
            path,
            self._labels,
            self._class_names,
            {split: samples.sha256() for split, samples in self._samples.items()},
            {split: samples.hash_of_each() for split, samples in self._samples.items()},
            network=network,
            optimiser=optimiser,
            seed=seed,
            n_classes=n_classes,
            steps_per_epoch=steps_per_epoch,
            metadata=metadata,
            form=form,
            vocabulary=vocabulary,
        )
        self._finished = False
        for split, found in self._labels.items():
            if found.ignored:
                whole, left = int(np.prod(found.shape)), "%s: %d of %d %s labels are %d; left out"
                logger.warning(left, self._recording.path, found.ignored, whole, split, IGNORED)

    def _check_imprinted(self, n_classes: int | None) -> int:
        """The number of classes to imprint, each of which has train samples."""
        from hyperribbon.tasks.class_sums import refuse_empty_classes

        most = 1 + max(int(labels.classes.max()) for labels in self._labels.values())
        n_classes = most if n_classes is None else n_classes
        n_classes = check_size(n_classes, "n_classes", least=max(2, most), most=2**31)
        if any(len(labels.shape) > 1 for labels in self._labels.values()):
            raise DataError("labels: one per token; expected one per sample if features are given")
        refuse_empty_classes(self._labels["train"].classes, n_classes, name="train labels")
        return n_classes

    def _keep_top(self, tops: Mapping[str, Any], features: object) -> None:
        """Keep few classes of each sample, the same number in both splits."""
        if features is not None or self._class_names is not None:
            other = "labels that are names" if features is None else "features"
            raise ConfigError(f"top_classes: given with {other}; expected integers and outputs")
        if self._all_classes is None:
            raise ConfigError("top_classes: needs n_classes, the number of columns of the outputs")
        for split, labels in self._labels.items():
            name = "test_" * (split == "test") + "top_classes"
            if tops[split] is None:
                raise ConfigError(f"{name}: not given; expected that of every split")
            top = check_top(tops[split], labels, self._all_classes, name)
            self._labels[split] = replace(labels, top=top)
        widths = {labels.top.shape[1] for labels in self._labels.values() if labels.top is not None}
        if len(widths) > 1:
            raise ConfigError(
                f"top_classes, test_top_classes: {widths} classes, expected equally many"
            )

    def __enter__(self) -> Recorder:
        self._finished = False
        self._opened()
        return self

    def __exit__(self, *error) -> None:
        self._finished = True
        if self._recording.is_open:  # not if it was finished inside the block
            self._recording.__exit__(*error)

    def finish(self) -> None:
        """Publish the store. Call it at the end if you use no ``with`` block.

        Until then, and if the process dies before, everything is kept in the work folder.

        Raises
        ------
        StoreError
            If nothing was recorded.
        """
        if not self._finished:
            self._opened()
            self.__exit__(None, None, None)

    close = finish

    @property
    def steps(self) -> list[int]:
        """Steps recorded so far, also before this Recorder was made."""
        if not self._finished:
            self._opened()
        return self._recording.steps

    @property
    def published(self) -> list[int]:
        """Steps that had been published before, which are never replaced."""
        if not self._finished:
            self._opened()
        return self._recording.published

    def _opened(self) -> None:
        """Begin to record, if that was not done yet."""
        if self._finished:
            raise StoreError(f"{self._recording.path}: finished; nothing is recorded after the end")
        if not self._recording.is_open:
            self._recording.__enter__()

    def checkpoint(self, model: Any, step: int) -> None:
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
        model : callable or estimator
            Called with a batch; returns (n, C), or (n, T, C) for labels (N, T). Of an object or
            mapping, its ``logits`` are taken; of a tuple or list of arrays, the first of that
            shape, with C columns if C is known. An estimator's ``predict_proba`` is called; its
            columns are put into the order of the labels' classes by its ``classes_``. If features
            are recorded, the model that has the layer, or what their function takes.
        step : int
            Optimiser steps taken, more than at the previous checkpoint.

        Raises
        ------
        DataError
            If the step does not increase, if inputs were changed in place, or if outputs do not
            have the shape (N, C), differ between two calls, are probabilities where logits are
            expected or, as probabilities, do not sum to 1; if they are not finite because inputs
            are not; or if the model has no such layer, it does not return one row per input, or a
            class has features that sum to zero.
        StoreError
            If the step is published already, or the recording was finished.
        """
        self._opened()
        step = self._recording.check_next(step)
        if self._recording.has_diverged(step):
            return
        for samples in self._samples.values():
            samples.check_unchanged()
        predictions = evaluate(
            model,
            self._samples,
            self._features or self._outputs(),
            self._labels,
            batch_size=self._batch_size,
            name=f"step {step}",
        )
        self._recording.add(step, predictions)

    def _outputs(self) -> Outputs:
        most = max(int(labels.classes.max()) for labels in self._labels.values())
        coarse = any(labels.top is not None for labels in self._labels.values())
        n_classes = self._all_classes if coarse else self._recording.n_classes
        return Outputs(self._logits, n_classes, self._class_names, most + 1)


def _any(inputs: object, labels: object) -> bool:
    return inputs is not None or labels is not None


def _read(inputs: Any, labels: Any, split: str) -> tuple[Any, Any]:
    """Inputs and labels of a split, from a dataset if they are one; a ConfigError without both."""
    found = None
    if is_dataset(inputs):
        inputs, found = read_dataset(inputs, split)
    elif labels is None and isinstance(inputs, Mapping):
        inputs, found = split_labels(inputs)
    labels = found if labels is None else labels
    for missing, word in ((inputs, "inputs"), (labels, "labels")):
        if missing is None:
            given = "test_" * (split == "test")
            raise ConfigError(f"{given}inputs, {given}labels: no {word}; expected both")
    return inputs, labels


def _check_counts(samples: Samples, labels: Labels, given: object) -> None:
    """Refuse inputs and labels of different numbers of samples."""
    if set(samples.counts.values()) != {labels.shape[0]}:
        counts = ", ".join(f"{name} ({count})" for name, count in samples.counts.items())
        hint = "; give several inputs of a model as a mapping, by their names"
        raise DataError(
            f"{samples.split}: {labels.shape[0]} labels, expected as many as {counts}"
            + hint * isinstance(given, list | tuple)
        )
