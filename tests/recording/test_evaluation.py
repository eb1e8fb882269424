import contextlib
import functools
import random
import warnings

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from torch import nn
from torch.nn.functional import dropout

import hyperribbon as hr
from hyperribbon.recording.evaluation import evaluate
from hyperribbon.recording.outputs import Outputs
from hyperribbon.recording.samples import Samples


class Network(nn.Module):
    """What training and evaluation do differently, some of it in no submodule of its own."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.BatchNorm1d(4), nn.Dropout(0.5))
        self.head = nn.Linear(4, 3)
        self.body[0].running_mean += 0.3

    def forward(self, x):
        return self.head(dropout(self.body(x), 0.5, self.training))


class After(nn.Module):
    """A linear layer, and a function of its outputs."""

    def __init__(self, function):
        super().__init__()
        torch.manual_seed(0)
        self.linear, self.function = nn.Linear(4, 3), function

    def forward(self, inputs):
        return self.function(self.linear(inputs))


@pytest.fixture
def predict(inputs):
    """Function evaluating a model on the samples, of which some are test samples, in batches."""

    def predicted(model, given=inputs, *, outputs="logits", batch_size=5):
        samples = {"train": Samples(given, "train"), "test": Samples(given[:2], "test")}
        reading = Outputs(None if outputs is None else outputs == "logits")
        return evaluate(model, samples, reading, batch_size=batch_size, name="step 3")["train"]

    return predicted


@pytest.fixture
def refusal(predict):
    """Function giving the line with which a model is refused."""

    def line(model, *given, **options):
        with pytest.raises(hr.DataError) as error:
            predict(model, *given, **options)
        assert "\n" not in str(error.value)
        assert str(error.value).startswith("step 3")
        return str(error.value)

    return line


def exact(network, inputs):
    """Probabilities in float64."""
    before = network.training
    with torch.no_grad():
        found = network.double().eval()(inputs.double()).softmax(1).numpy()
    network.float().train(before)
    return found


# Softmax twice


@pytest.mark.parametrize("last", [lambda z: z.softmax(1), lambda z: z.half().softmax(1).float()])
def test_probabilities_are_not_taken_for_logits(refusal, predict, last):
    assert refusal(After(last)).startswith('step 3: "logits" that are nonnegative and whose every')
    assert 'outputs="probabilities"' in refusal(After(last))
    if last(torch.zeros(1, 3)).sum() == 1:
        predict(After(last), outputs="probabilities")


def test_one_batch_of_ones_is_no_evidence(predict, inputs):
    """Some rows of logits may sum to 1; that all do is no chance."""

    def model(batch):
        return np.tile([0.2, 0.2, 0.6 if len(batch) == 5 else 1.1], (len(batch), 1))

    predict(model)


def test_logarithms_of_probabilities_are_logits(predict, refusal, inputs):
    logarithms = After(lambda z: z.log_softmax(1))
    expected = exact(After(lambda z: z), inputs)
    np.testing.assert_allclose(predict(logarithms), expected, atol=1e-6)
    assert "negative entries" in refusal(logarithms, outputs="probabilities")
    certain = np.array([0.0, -np.inf, -np.inf])
    found = predict(lambda batch: np.tile(certain, (len(batch), 1)))
    np.testing.assert_array_equal(found, np.tile([1, 0, 0], (12, 1)))


def test_a_sigmoid_is_no_distribution(predict, refusal):
    sigmoid = After(torch.sigmoid)
    assert "a row that sums to" in refusal(sigmoid, outputs="probabilities")
    with pytest.warns(UserWarning, match="every logit lies between 0 and 1, as after a sigmoid"):
        predict(sigmoid)


# Chance


own_generator, calls = np.random.default_rng(0), []
CHANCE = {
    "functional dropout": lambda z: dropout(z, 0.5),
    "numpy": lambda z: z + torch.from_numpy(np.random.normal(size=3)),
    "Python": lambda z: z + random.random() * torch.arange(3),
    "a generator of its own": lambda z: z + own_generator.normal() * z.flip(1),
    "a counter": lambda z: z * (calls.append(0) or len(calls)),
}


@pytest.mark.parametrize("source", CHANCE)
def test_chance_and_memory_are_refused(refusal, source):
    line = refusal(After(CHANCE[source]))
    assert "train outputs: two calls with the same samples give probabilities up to" in line


def test_chance_in_any_batch_is_seen(refusal):
    def late(z):
        return dropout(z, 0.5) if len(z) == 2 else z  # the last train batch has two samples

    assert "two calls with the same samples" in refusal(After(late))


def test_rounding_is_no_chance_and_costs_one_more_batch(predict):
    calls = []

    def model(z):
        calls.append(len(z))
        return z * (1 + 1e-6 * len(calls))

    predict(After(model))
    assert calls == [5, 5, 2, 2, 5]


def test_a_reused_array_of_outputs_does_not_hide_chance(refusal):
    out, rng = np.empty((5, 3)), np.random.default_rng(0)

    def model(batch):
        out[: len(batch)] = rng.normal(size=(len(batch), 3))
        return out[: len(batch)]

    assert "two calls with the same samples" in refusal(model)


# Without a trace, in full precision


def called_compiled(network):
    compiled = torch.compile(network, backend="eager")
    return lambda batch: compiled(batch)


MODELS = {
    "module": lambda network: network,
    "function": lambda network: lambda batch: network(batch),
    "partial": functools.partial,
    "method": lambda network: network.forward,
    "DataParallel": nn.DataParallel,
    "compiled": lambda network: torch.compile(network, backend="eager"),
    "function of a compiled one": called_compiled,
}


@pytest.mark.parametrize("kind", MODELS)
def test_every_way_to_call_a_network_evaluates_it_and_leaves_no_trace(predict, inputs, kind):
    torch.manual_seed(0)
    network = Network().train()
    network.body[1].eval()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    expected, states = exact(network, inputs), [torch.get_rng_state(), random.getstate()]
    network.body[1].eval()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_allclose(predict(MODELS[kind](network)), expected, atol=1e-6)
    modes = [network.training, network.body.training, network.head.training]
    assert all(modes) and not network.body[1].training
    assert torch.equal(states[0], torch.get_rng_state()) and states[1] == random.getstate()
    for name, tensor in network.state_dict().items():
        assert torch.equal(tensor, before[name]), name
    assert torch.is_grad_enabled()


def test_networks_that_no_module_holds_are_evaluated_too(predict, inputs):
    members = [Network().train(), Network().train()]
    found = predict(After(lambda z: members[0](inputs[: len(z)])), inputs[:4])
    np.testing.assert_allclose(found, exact(members[0], inputs[:4]), atol=1e-6)
    assert members[0].training


@contextlib.contextmanager
def setting(place, name, value):
    before = getattr(place, name)
    setattr(place, name, value)
    try:
        yield
    finally:
        setattr(place, name, before)


@contextlib.contextmanager
def medium():
    torch.set_float32_matmul_precision("medium")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision("highest")


PRECISIONS = {
    "autocast": lambda: torch.autocast("cpu", torch.bfloat16),
    "medium": medium,
    "bf16": lambda: setting(torch.backends.mkldnn.matmul, "fp32_precision", "bf16"),
    "tf32": lambda: setting(torch.backends.cuda.matmul, "fp32_precision", "tf32"),
    "float64": lambda: torch.inference_mode(),
}


@pytest.mark.parametrize("kind", PRECISIONS)
@pytest.mark.parametrize("way", ["module", "function"])
def test_evaluation_is_in_full_precision_whatever_is_set(predict, kind, way):
    """Half precision is off by 1e-3 here."""

    def settings():
        places = torch.backends.cuda.matmul, torch.backends.cudnn.conv, torch.backends.mkldnn.matmul
        return torch.is_autocast_enabled("cpu"), [place.fp32_precision for place in places]

    torch.manual_seed(0)
    network, inputs = nn.Sequential(nn.Linear(64, 256), nn.Linear(256, 3)), torch.randn(12, 64)
    expected = exact(network, inputs)
    with PRECISIONS[kind]():
        before = settings()
        found = predict(MODELS[way](network), inputs)
        assert settings() == before
    np.testing.assert_allclose(found, expected, atol=2e-6)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_a_network_of_another_type_gets_inputs_of_its_type(predict, inputs, dtype):
    network = nn.Linear(4, 3).to(dtype)
    with torch.no_grad():
        expected = network(inputs.to(dtype)).double().softmax(1).numpy()
    np.testing.assert_allclose(predict(network), expected, atol=1e-7)


# Outputs


OUTPUTS = {
    "dictionary": lambda z: {"logits": z, "loss": 0},
    "rows": lambda z: z.tolist(),
    "tensors": list,
    "backwards": lambda z: z.numpy()[:, ::-1].copy()[:, ::-1],
    "DataFrame": lambda z: pd.DataFrame(z.numpy()),
}


@pytest.mark.parametrize("kind", OUTPUTS)
def test_outputs_of_other_kinds(predict, inputs, kind):
    found = predict(After(OUTPUTS[kind]))
    np.testing.assert_allclose(found, exact(After(lambda z: z), inputs), atol=1e-6)


NO_OUTPUTS = {
    "a tuple of 2, of shapes (5, 3), (5, 6); expected n_classes to choose by": lambda z: (
        z,
        torch.cat([z, z], 1),
    ),
    "a list of 2, of shapes (4, 3), (3, 5); expected one of shape (samples, classes)": lambda z: [
        z[1:],
        z.T,
    ],
    "a mapping of loss, out; expected an array, or one with logits": lambda z: {
        "loss": 0,
        "out": z,
    },
    "None, expected an array": lambda z: None,
    "shape (5, 3, 1), expected (5, classes)": lambda z: z[:, :, None],
    "shape (4, 3), expected (5, classes)": lambda z: z[1:],
    "shape (2, 2), expected (2, 3)": lambda z: z if len(z) == 5 else z[:, :2],
    "on the meta device": lambda z: z.to("meta"),
    "masked entries": lambda z: np.ma.masked_less(z.numpy(), 0),
    "entries of type complex64, expected real numbers": lambda z: z + 0j,
}


@pytest.mark.parametrize("message", NO_OUTPUTS)
def test_what_is_no_outputs_is_refused_in_one_line(refusal, message):
    line = refusal(After(NO_OUTPUTS[message]))
    assert line.startswith("step 3, train outputs: ") and message in line


SEVERAL = {
    "loss and logits": lambda z: (z.mean(), z),
    "logits twice": lambda z: [z, z.flip(1)],
    "logits and what is hidden": lambda z: (z[:, :, None], z, (z, z)),
    "an object with logits": lambda z: type("Output", (tuple,), {"logits": z})((z.exp(), z)),
}


@pytest.mark.parametrize("kind", SEVERAL)
def test_the_first_array_of_a_row_per_sample_counts(predict, inputs, kind):
    found = predict(After(SEVERAL[kind]))
    np.testing.assert_allclose(found, exact(After(lambda z: z), inputs), atol=1e-6)


def test_the_number_of_classes_decides_among_several_arrays(inputs):
    samples, reading = {"train": Samples(inputs, "train")}, Outputs(n_classes=3)
    model = After(lambda z: (torch.cat([z, z], 1), z))
    found = evaluate(model, samples, reading, batch_size=5, name="step 3")["train"]
    np.testing.assert_allclose(found, exact(After(lambda z: z), inputs), atol=1e-6)


@pytest.mark.parametrize("shape", [(-1,), (-1, 1)])
def test_one_column_is_of_the_second_of_two_classes(predict, inputs, shape):
    with torch.no_grad():
        z = After(lambda z: z[:, 0])(inputs).double()
    expected = torch.stack([1 - z.sigmoid(), z.sigmoid()], 1)
    logits = predict(After(lambda z: z[:, 0].reshape(shape)))
    np.testing.assert_allclose(logits, expected, atol=1e-6)
    sigmoid = After(lambda z: z[:, 0].sigmoid().reshape(shape))
    np.testing.assert_allclose(predict(sigmoid, outputs="probabilities"), expected, atol=1e-6)


def test_a_column_of_a_sigmoid_is_not_taken_for_logits_in_silence(predict, refusal):
    for last in (torch.sigmoid, lambda z: (1e4 * z).sigmoid()):  # certain, too
        with pytest.warns(UserWarning, match=r"every logit lies between .* needs outputs="):
            predict(After(lambda z, last=last: last(z[:, :1])))
    line = refusal(After(lambda z: 2 + z[:, :1].sigmoid()), outputs="probabilities")
    assert "train outputs: one output per sample, from 2." in line


def test_outputs_that_are_not_finite_are_nan(predict):
    for value, outputs in ((torch.nan, "logits"), (torch.inf, "logits"), (torch.nan, None)):
        found = predict(After(lambda z, value=value: z + value), outputs=outputs or "probabilities")
        assert np.isnan(found).all()


def test_inputs_that_are_not_finite_are_named(refusal, inputs):
    inputs[7, 2] = torch.nan
    line = refusal(nn.Linear(4, 3))
    assert line.startswith("step 3: train inputs: sample 7 has numbers that are NaN or infinite")


def test_models_that_cannot_be_evaluated(refusal, inputs):
    y = np.arange(12) % 3
    fitted, gaps = (LogisticRegression().fit(inputs.numpy(), labels) for labels in (y, 2 * y))
    assert "of type object, cannot be called" in refusal(object())
    assert "of type LogisticRegression, has probabilities; leave outputs out" in refusal(fitted)
    line = refusal(gaps.predict_proba, inputs.numpy(), outputs="probabilities")
    assert "the model's columns are classes 0, 2, 4; expected 0 to 2, the classes of the" in line
    assert "the model is on the meta device" in refusal(nn.Linear(4, 3, device="meta"))


def test_scikit_learns_probabilities_and_their_logarithms(predict, refusal, inputs):
    x, names = inputs.numpy(), np.array(list("abc"))[np.arange(12) % 3]
    fitted = LogisticRegression().fit(x, names)
    expected = fitted.predict_proba(x)
    found = predict(fitted.predict_proba, x, outputs="probabilities")
    np.testing.assert_allclose(found, expected, atol=1e-7)
    np.testing.assert_allclose(predict(fitted.predict_log_proba, x), expected, atol=1e-7)
    assert 'outputs="probabilities"' in refusal(fitted.predict_proba, x)
    for model in (fitted, fitted.predict_proba):  # without being told
        np.testing.assert_allclose(predict(model, x, outputs=None), expected, atol=1e-7)


class Estimator:
    """Predicts (0.1, 0.2, 0.7) for three classes, and (0.3, 0.7) for two."""

    def __init__(self, classes):
        self.classes_ = np.array(classes)

    def predict_proba(self, batch):
        P = [0.1, 0.2, 0.7] if len(self.classes_) == 3 else [0.3, 0.7]
        return np.tile(P, (len(batch), 1))


ORDERS = {
    "names": (["c", "a", "b"], list("abc"), [0.2, 0.7, 0.1]),
    "numbers": ([2, 0, 1], None, [0.2, 0.7, 0.1]),
    "in order": ([0, 1, 2], list("abc"), [0.1, 0.2, 0.7]),
    "a class it never saw": (["c", "a"], list("abc"), [0.7, 0, 0.3]),
    "a number it never saw": ([0, 2], None, [0.3, 0, 0.7]),
}


@pytest.mark.parametrize("kind", ORDERS)
def test_an_estimators_classes_are_put_in_order(inputs, kind):
    classes, names, expected = ORDERS[kind]
    reading = Outputs(None, None, names, n_labelled=3)
    samples = {"train": Samples(inputs, "train")}
    found = evaluate(Estimator(classes), samples, reading, batch_size=5, name="step 3")["train"]
    np.testing.assert_allclose(found, np.tile(expected, (12, 1)), atol=1e-7)


def test_classes_that_no_label_has_are_refused(inputs):
    reading, samples = Outputs(class_names=["a", "b"]), {"train": Samples(inputs, "train")}
    with pytest.raises(hr.DataError, match="columns are classes a, b, x; expected a, b, the class"):
        evaluate(Estimator(list("abx")), samples, reading, batch_size=5, name="step 3")


def test_an_error_of_the_model_says_what_it_was_called_with(predict):
    with pytest.raises(RuntimeError) as error:
        predict(nn.Linear(4, 3), np.ones((12, 4), int))
    note = "step 3: the model was called with inputs: Tensor torch.int64 shape (5, 4)"
    assert error.value.__notes__ == [note]
