"""The configuration of the certificates part: networks, methods and how they are optimised."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, Field

from hyperribbon.config.configuration import DIRECT, Configuration
from hyperribbon.config.fields import Count, Names, Positive, distinct, refuse
from hyperribbon.studies.part import PartSection

if TYPE_CHECKING:
    from hyperribbon.studies.study import Study

Method = Literal[
    "baseline", "analytic", "fisher", "hessian", "fisher_prior", "stiff", "trained_prior"
]
Methods = Annotated[tuple[Method, ...], AfterValidator(distinct), Field(min_length=1)]
# Methods whose prior is made from the samples that are set aside: its covariance, its centre.
SHAPED, TRAINED = "fisher_prior", "trained_prior"
LEAST_BOUNDED = 8  # samples, for which the theorems are proved


class CertificatesConfig(PartSection):
    """Bounds on the error of networks drawn around trained ones, on new samples (thesis 4.3.3).

    Every seed that did not diverge has a certificate by each method. Networks with BatchNorm have
    none, because their statistics depend on the samples that the bound is about.
    """

    networks: Names
    """Names of the networks whose trainings get certificates."""
    methods: Methods = (
        "baseline", "analytic", "fisher", "hessian", "fisher_prior", "stiff", "trained_prior",
    )  # fmt: skip
    """Posteriors, and priors that are not isotropic. `baseline` is diagonal in the weights
    (Dziugaite & Roy 2017), `analytic` is Method 1 of the thesis; `fisher` and `hessian` are
    diagonal in the eigenbasis of the Fisher matrix before training and of the Gauss-Newton matrix
    after it (Methods 2 and 3), `fisher_prior` also takes the prior's covariance from the Fisher
    matrix before training (Method 4); `stiff` differs from the prior in the stiffest directions
    only; `trained_prior` is `hessian` with a prior around a network that was trained on the samples
    set aside."""
    set_aside: Annotated[int, Field(strict=True, ge=0, le=1_000_000)] = 500
    """Training samples from which `fisher_prior` and `trained_prior` make their priors. No bound
    counts them, so that all methods are compared on the same samples."""
    epochs: Count = 40
    """Epochs for which a posterior is optimised; `analytic` needs none."""
    batch_size: Count = 100
    """Samples per step of the optimisation."""
    learning_rate: Positive = 0.001
    """Learning rate of the optimisation, at its beginning."""
    draws: Count = 20
    """Predictions of drawn networks for each sample, which measure the error of a posterior. With
    more, its upper limit is closer to the mean."""

    def check(self, study: Study) -> None:
        """Refuse networks without certificates, and numbers that leave too few samples."""
        assert study.training and study.networks and study.data, "checked before the sections"
        kept = study.training.keep_weights
        for epoch, what in ((0.0, "the centre of the prior"), (1.0, "the trained weights")):
            if epoch not in kept:
                expected = f"with certificates must contain {epoch}, {what}"
                raise refuse("training.keep_weights", kept, expected)
        for name in self.networks:
            if name not in study.networks:
                expected = f"one of networks: {', '.join(study.networks)}"
                raise refuse("certificates.networks", name, expected)
            if not study.networks[name].has_kronecker_factors:
                expected = (
                    "networks of linear and convolutional layers alone, without BatchNorm, whose "
                    "statistics depend on the samples"
                )
                raise refuse("certificates.networks", name, expected)
            if not study.has_grid:
                expected = "a network that learns all classes by their cross-entropy"
                raise refuse("certificates.networks", name, expected)
        self._check_samples(study.data.train_size)

    def _check_samples(self, train_size: int) -> None:
        needy = [method for method in (SHAPED, TRAINED) if method in self.methods]
        if needy and not self.set_aside:
            expected = f"at least 1, because the prior of {needy[0]} needs samples of its own"
            raise refuse("certificates.set_aside", self.set_aside, expected)
        bounded = train_size - self.set_aside
        if bounded < LEAST_BOUNDED:
            expected = f"at most data.train_size - {LEAST_BOUNDED} = {train_size - LEAST_BOUNDED}"
            raise refuse("certificates.set_aside", self.set_aside, expected)
        if self.batch_size > bounded:
            expected = f"at most {bounded}, the training samples that are not set aside"
            raise refuse("certificates.batch_size", self.batch_size, expected)

    def configurations(self, study: Study) -> list[Configuration]:
        """The configurations whose trainings get certificates."""
        found = study.configurations()
        return [c for c in found if c.network_name in self.networks and c.stage == DIRECT]

    def only(self, configuration: Configuration, method: Method) -> CertificatesConfig:
        """The section of the certificates of one configuration by one method."""
        return self.model_copy(
            update={"networks": (configuration.network_name,), "methods": (method,)}
        )
