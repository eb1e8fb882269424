"""A metric, a network, a figure and a claim of one's own: `docs/plugins.md` explains them.

A study that lists this file,

    plugins: [examples/plugins.py]

compares its metric with the others, may train its network, draws its figure and judges its claim.
Imports that take long are inside functions, so that Snakemake starts quickly.
"""

from math import prod

import hyperribbon as hr


def total_variation(p, q):
    """Total variation distance of each sample: p and q are torch tensors (..., classes)."""
    return (p - q).abs().sum(-1) / 2


def softmax_regression(input_shape, n_classes, bias=True):
    """One linear layer on the pixels."""
    from torch import nn

    return nn.Sequential(nn.Flatten(), nn.Linear(prod(input_shape), n_classes, bias=bias))


hr.register_metric("total_variation", total_variation)
hr.register_network("softmax_regression", softmax_regression)


@hr.register_figure(
    needs=["models"],
    category="Progress",
    caption="Test error of every model against its loss, with one colour per network.",
)
def error_by_loss(tables):
    """Scatter plot of the test models."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots()
    for network, models in tables["models"].query("split == 'test'").groupby("network"):
        axes.plot(models["loss"], models["error"], ".", label=network)
    axes.set(xlabel="test loss (nats)", ylabel="test error", xscale="log")
    axes.legend()
    return figure


@hr.register_claim(
    "Three dimensions explain at least 90% of the stress of the study's own models on train.",
    source="examples/plugins.py",
    rule="at least",
    published=0.9,
    needs=["explained_stress"],
)
def three_dimensions(tables):
    """Explained stress of three dimensions."""
    found = tables["explained_stress"].query("split == 'train' and dimension == 3")
    value = found["explained_stress"].iloc[0]
    return value, value, value  # exact, because the claim is about no other models
