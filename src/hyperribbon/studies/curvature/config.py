"""The configuration of the curvature part: networks, samples and eigenvalues."""

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
    """Spectra of the Fisher matrix, of the Hessian and of the matrices behind them (thesis 4).

    They are computed for the first seed that did not diverge, from its snapshots at initialisation,
    middle and end of training.
    """

    networks: Names
    """Names of the networks whose trainings are analysed."""
    samples: Annotated[int, Field(strict=True, ge=10, le=1_000_000)] = 200
    """Number of training samples, evenly spaced, over which the matrices are computed. If this
    number times that of the classes is at most 6,000, the Fisher matrix's spectrum is complete;
    otherwise only its largest eigenvalues are computed."""
    eigenvalues: Annotated[int, Field(strict=True, ge=2, le=1_000)] = 30
    """Number of leading eigenpairs of the Hessian, and of the Fisher matrix in comparisons."""

    def check(self, study: Study) -> None:
        """Refuse unknown networks, too few samples and snapshots that are not kept."""
        assert study.training and study.networks and study.data, "checked before the sections"
        key, kept = "training.keep_weights", study.training.keep_weights
        if 1.0 not in kept:
            raise refuse(key, kept, "with curvature must contain 1.0, the final weights")
        for name in self.networks:
            if name not in study.networks:
                expected = f"one of networks: {', '.join(study.networks)}"
                raise refuse("curvature.networks", name, expected)
        if self.samples > study.data.train_size:
            expected = f"at most data.train_size = {study.data.train_size}"
            raise refuse("curvature.samples", self.samples, expected)

    def configurations(self, study: Study) -> list[Configuration]:
        """The configurations whose curvature is computed."""
        found = study.configurations()
        return [c for c in found if c.network_name in self.networks and c.stage == DIRECT]
