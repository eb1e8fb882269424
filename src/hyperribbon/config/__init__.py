"""Sections of a study's configuration, and what they share.

`fields` has the types of keys, `data`, `networks` and `training` the sections, `learning` and
`methods` those of tasks, `configuration` one training job with its id, and `errors` the wording of
errors; `hyperribbon.storage.study_file` reads the YAML. The model of a complete study is
:mod:`hyperribbon.studies.study`. Nothing here imports torch or numpy, so that the Snakefile parses
quickly.
"""

from hyperribbon.extras import needs

needs("pydantic", "workflow", "hyperribbon.config")

from hyperribbon.config.configuration import DIRECT, NO_AUGMENTATION, Configuration
from hyperribbon.config.data import DATA_SOURCES, DataConfig, decay_name
from hyperribbon.config.learning import LearningConfig, TaskConfig
from hyperribbon.config.methods import (
    BarlowTwinsConfig,
    FixMatchConfig,
    JointConfig,
    MethodConfig,
    PrototypicalConfig,
    SimCLRConfig,
    SupervisedConfig,
)
from hyperribbon.config.networks import (
    AllCNNConfig,
    ConvMixerConfig,
    FullyConnectedConfig,
    LeNetConfig,
    NetworkConfig,
    ResNetConfig,
    ViTConfig,
    WideResNetConfig,
)
from hyperribbon.config.training import (
    AdamConfig,
    AdamPConfig,
    AdamWConfig,
    AugmentationConfig,
    OptimiserConfig,
    ProgressiveResizing,
    SGDConfig,
    TrainingConfig,
)
from hyperribbon.storage.study_file import read_overrides, read_study_file

__all__ = [
    "DATA_SOURCES",
    "DIRECT",
    "NO_AUGMENTATION",
    "AdamConfig",
    "AdamPConfig",
    "AdamWConfig",
    "AllCNNConfig",
    "AugmentationConfig",
    "BarlowTwinsConfig",
    "Configuration",
    "ConvMixerConfig",
    "DataConfig",
    "FixMatchConfig",
    "FullyConnectedConfig",
    "JointConfig",
    "LeNetConfig",
    "LearningConfig",
    "MethodConfig",
    "NetworkConfig",
    "OptimiserConfig",
    "ProgressiveResizing",
    "PrototypicalConfig",
    "ResNetConfig",
    "SGDConfig",
    "SimCLRConfig",
    "SupervisedConfig",
    "TaskConfig",
    "TrainingConfig",
    "ViTConfig",
    "WideResNetConfig",
    "decay_name",
    "read_overrides",
    "read_study_file",
]


def __getattr__(name: str):
    """Say where a name that used to be here is now; there are no others."""
    from hyperribbon._moved import moved

    old = f"{__name__}.{name}"
    raise AttributeError(moved(old) or f"module {__name__!r} has no attribute {name!r}")
