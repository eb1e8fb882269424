"""hyperribbon: the geometry of learning in prediction space.

Models are arrays (m, N, C) of m models, N samples and C classes; every row is a distribution.

>>> import hyperribbon as hr
>>> import numpy as np
>>> P = np.random.default_rng(0).dirichlet(np.ones(10), size=(20, 100))
>>> D = hr.pairwise_distance(P)
>>> hr.InPCA(n_components=3, metric="precomputed").fit_transform(D).shape
(20, 3)
"""

from importlib import import_module

from hyperribbon import _moved  # noqa: F401  says where modules that moved are now

__version__ = "0.1.0"

_HOMES = {
    "analysis.explain": ["explain_coordinate", "explain_distance", "explain_progress"],
    "analysis.study": ["Study"],
    "errors": ["ConfigError", "DataError", "HyperribbonError", "StoreError"],
    "embedding": ["InPCA", "IsKL", "align", "joint_embedding"],
    "networks": ["register_network"],
    "pairwise": ["pairwise_distance"],
    "pairwise.metrics": ["register_metric"],
    "probability": [
        "centroid",
        "geodesic",
        "ignorance",
        "progress",
        "random_stochastic_projection",
        "truth",
    ],
    "recording.predictions": ["record_predictions"],
    "recording.recorder": ["Recorder"],
    "studies.opened": ["open_study"],
    "studies.plugins": ["register_claim", "register_figure"],
    "tasks.class_tree": ["ClassTree"],
    "tasks.imprinting": ["imprint", "imprinted_predictions"],
    "trajectories": ["resample_trajectory", "trajectory_distance", "trajectory_length"],
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [*sorted(_HOME_OF)]


def __getattr__(name: str):
    """Import a name on first use, so that a step without scikit-learn does not load it."""
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
