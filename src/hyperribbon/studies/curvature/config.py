"""The section that says of which networks curvature is computed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from hyperribbon.config.configuration import DIRECT, Configuration
from hyperribbon.config.fields import Label, refuse
from hyperribbon.studies.part import PartSection

if TYPE_CHECKING:
    from hyperribbon.studies.study import Study

Names = Annotated[tuple[Label, ...], Field(min_length=1)]


class CurvatureConfig(PartSection):
    """Spectra of the Fisher matrix, the Hessian and what they follow from (thesis 4).

    Of the first seed that did not diverge, from the weights kept of initialisation, middle and end.
    """

    networks: Names
    """Networks whose trainings are looked at, by name."""
    samples: Annotated[int, Field(strict=True, ge=10, le=1_000_000)] = 200
    """Training samples, evenly spread, of which the matrices are. If these times the classes are at
    most 6,000, the Fisher matrix's spectrum is complete; of more samples, only its top is found."""
    eigenvalues: Annotated[int, Field(strict=True, ge=2, le=1_000)] = 30
    """Leading eigenpairs of the Hessian, and of the Fisher matrix that it is compared with."""
    draws: Annotated[int, Field(strict=True, ge=0, le=1_000_000)] = 0
    """Networks drawn from the analytic posterior for a PAC-Bayes certificate; 0: none. Of networks
    without BatchNorm, whose statistics no prior could know."""

    def check(self, study: Study) -> None:
        key, kept = "training.keep_weights", study.training.keep_weights
        if 1.0 not in kept:
            raise refuse(key, kept, "with curvature must have 1.0, the weights of the end")
        for name in self.networks:
            if name not in study.networks:
                expected = f"one of networks: {', '.join(study.networks)}"
                raise refuse("curvature.networks", name, expected)
            if self.draws and not study.networks[name].has_kronecker_factors:
                expected = f"a network of linear and convolutional layers alone; {name} is not"
                raise refuse("curvature.draws", self.draws, expected)
        if self.draws and 0.0 not in kept:
            expected = "with curvature.draws must have 0.0, where the prior is centred"
            raise refuse(key, kept, expected)
        if self.samples > study.data.train_size:
            expected = f"at most data.train_size = {study.data.train_size}"
            raise refuse("curvature.samples", self.samples, expected)

    def configurations(self, study: Study) -> list[Configuration]:
        """The configurations whose curvature is computed."""
        found = study.configurations()
        return [c for c in found if c.network_name in self.networks and c.stage == DIRECT]
