"""The typed configuration of a study.

One model, from which come the defaults, the JSON schema that Snakemake validates against and the
tables of ``config/README.md`` (see :mod:`hyperribbon.config.docs`). It imports neither torch nor
numpy, so that the Snakefile parses quickly.
"""

from hyperribbon.config.canonical import canonical_json, digest
from hyperribbon.config.curvature import CurvatureConfig
from hyperribbon.config.data import DATA_SOURCES, DataConfig
from hyperribbon.config.linear import (
    LinearConfig,
    LinearExperimentsConfig,
    RatiosConfig,
    SlopesConfig,
    StepsConfig,
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
from hyperribbon.config.regression import RegressionConfig
from hyperribbon.config.study import (
    DIRECT,
    TRAINING_KEYS,
    AnalysisConfig,
    CombinationConfig,
    Configuration,
    CornersConfig,
    DaskConfig,
    StudyConfig,
    parse_study,
)
from hyperribbon.config.study_file import read_overrides, read_study_file
from hyperribbon.config.synthetic import (
    StudentsConfig,
    SyntheticConfig,
    SyntheticCornersConfig,
    SyntheticDataConfig,
    SyntheticExperiment,
    decay_name,
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

__all__ = [
    "DATA_SOURCES",
    "DIRECT",
    "TRAINING_KEYS",
    "AdamConfig",
    "AdamPConfig",
    "AdamWConfig",
    "AllCNNConfig",
    "AnalysisConfig",
    "AugmentationConfig",
    "CombinationConfig",
    "Configuration",
    "ConvMixerConfig",
    "CornersConfig",
    "CurvatureConfig",
    "DaskConfig",
    "DataConfig",
    "FullyConnectedConfig",
    "LeNetConfig",
    "LinearConfig",
    "LinearExperimentsConfig",
    "NetworkConfig",
    "OptimiserConfig",
    "ProgressiveResizing",
    "RatiosConfig",
    "RegressionConfig",
    "ResNetConfig",
    "SGDConfig",
    "SlopesConfig",
    "StepsConfig",
    "StudentsConfig",
    "StudyConfig",
    "SyntheticConfig",
    "SyntheticCornersConfig",
    "SyntheticDataConfig",
    "SyntheticExperiment",
    "TrainingConfig",
    "ViTConfig",
    "WideResNetConfig",
    "canonical_json",
    "decay_name",
    "digest",
    "parse_study",
    "read_overrides",
    "read_study_file",
]
