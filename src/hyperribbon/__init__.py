"""hyperribbon: the geometry of learning in prediction space.

Models are arrays (m, N, C) of m models, N samples and C classes; every row is a distribution.

>>> import hyperribbon as hr
>>> import numpy as np
>>> P = np.random.default_rng(0).dirichlet(np.ones(10), size=(20, 100))
>>> D = hr.pairwise_distance(P)
>>> hr.InPCA(n_components=3, metric="precomputed").fit_transform(D).shape
(20, 3)

Names and rooms are imported when they are first used, so that nothing is loaded in vain, and only
what needs an optional package asks for it.

>>> int(hr.linear.ribbon_dimension(np.diag([4.0, 2.0, 1.0]), 0.8))
2
"""

from importlib import import_module
from typing import TYPE_CHECKING

from hyperribbon import _moved  # noqa: F401  says where modules that moved are now

__version__ = "0.1.0"

_ROOMS = [
    "analysis",
    "callbacks",
    "curvature",
    "data",
    "embedding",
    "linear",
    "networks",
    "pac_bayes",
    "pairwise",
    "plot",
    "probability",
    "recording",
    "representations",
    "storage",
    "tasks",
    "training",
    "trajectories",
    "watching",
]
_HOMES = {
    "analysis.across.comparison": ["compare_studies"],
    "analysis.explain": ["explain_coordinate", "explain_distance", "explain_progress"],
    "analysis.study": ["Study"],
    "errors": ["ConfigError", "DataError", "HyperribbonError", "MissingExtra", "StoreError"],
    "embedding": ["InPCA", "IsKL", "align", "joint_embedding"],
    "embedding.bases": ["ModelBasis", "SampleBasis"],
    "networks": ["build_network", "register_network"],
    "pairwise": ["pairwise_distance"],
    "pairwise.bounds": ["distance_bounds"],
    "pairwise.metrics": ["register_metric"],
    "plot.display": ["InPCADisplay"],
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
    "recording.top_classes": ["top_classes"],
    "studies.opened": ["open_study"],
    "studies.plugins": ["register_claim", "register_figure"],
    "tasks.class_tree": ["ClassTree"],
    "tasks.imprinting": ["imprint", "imprinted_predictions"],
    "trajectories": [
        "compare_trajectories",
        "resample_trajectory",
        "trajectory_distance",
        "trajectory_length",
    ],
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [*sorted(_HOME_OF), *_ROOMS]

if TYPE_CHECKING:  # the same names, for editors and mypy; a test compares them
    from hyperribbon import analysis as analysis
    from hyperribbon import callbacks as callbacks
    from hyperribbon import curvature as curvature
    from hyperribbon import data as data
    from hyperribbon import embedding as embedding
    from hyperribbon import linear as linear
    from hyperribbon import networks as networks
    from hyperribbon import pac_bayes as pac_bayes
    from hyperribbon import pairwise as pairwise
    from hyperribbon import plot as plot
    from hyperribbon import probability as probability
    from hyperribbon import recording as recording
    from hyperribbon import representations as representations
    from hyperribbon import storage as storage
    from hyperribbon import tasks as tasks
    from hyperribbon import training as training
    from hyperribbon import trajectories as trajectories
    from hyperribbon import watching as watching
    from hyperribbon.analysis.across.comparison import compare_studies as compare_studies
    from hyperribbon.analysis.explain import explain_coordinate as explain_coordinate
    from hyperribbon.analysis.explain import explain_distance as explain_distance
    from hyperribbon.analysis.explain import explain_progress as explain_progress
    from hyperribbon.analysis.study import Study as Study
    from hyperribbon.embedding import InPCA as InPCA
    from hyperribbon.embedding import IsKL as IsKL
    from hyperribbon.embedding import align as align
    from hyperribbon.embedding import joint_embedding as joint_embedding
    from hyperribbon.embedding.bases import ModelBasis as ModelBasis
    from hyperribbon.embedding.bases import SampleBasis as SampleBasis
    from hyperribbon.errors import ConfigError as ConfigError
    from hyperribbon.errors import DataError as DataError
    from hyperribbon.errors import HyperribbonError as HyperribbonError
    from hyperribbon.errors import MissingExtra as MissingExtra
    from hyperribbon.errors import StoreError as StoreError
    from hyperribbon.networks import build_network as build_network
    from hyperribbon.networks import register_network as register_network
    from hyperribbon.pairwise import pairwise_distance as pairwise_distance
    from hyperribbon.pairwise.bounds import distance_bounds as distance_bounds
    from hyperribbon.pairwise.metrics import register_metric as register_metric
    from hyperribbon.plot.display import InPCADisplay as InPCADisplay
    from hyperribbon.probability import centroid as centroid
    from hyperribbon.probability import geodesic as geodesic
    from hyperribbon.probability import ignorance as ignorance
    from hyperribbon.probability import progress as progress
    from hyperribbon.probability import random_stochastic_projection as random_stochastic_projection
    from hyperribbon.probability import truth as truth
    from hyperribbon.recording.predictions import record_predictions as record_predictions
    from hyperribbon.recording.recorder import Recorder as Recorder
    from hyperribbon.recording.top_classes import top_classes as top_classes
    from hyperribbon.studies.opened import open_study as open_study
    from hyperribbon.studies.plugins import register_claim as register_claim
    from hyperribbon.studies.plugins import register_figure as register_figure
    from hyperribbon.tasks.class_tree import ClassTree as ClassTree
    from hyperribbon.tasks.imprinting import imprint as imprint
    from hyperribbon.tasks.imprinting import imprinted_predictions as imprinted_predictions
    from hyperribbon.trajectories import compare_trajectories as compare_trajectories
    from hyperribbon.trajectories import resample_trajectory as resample_trajectory
    from hyperribbon.trajectories import trajectory_distance as trajectory_distance
    from hyperribbon.trajectories import trajectory_length as trajectory_length


def __getattr__(name: str):
    """Import a name or a room on first use."""
    if name in _ROOMS:
        return import_module(f"{__name__}.{name}")
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
