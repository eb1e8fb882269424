"""The section that says of which networks curvature is computed."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from hyperribbon.config.fields import Label, Section

Names = Annotated[tuple[Label, ...], Field(min_length=1)]


class CurvatureConfig(Section):
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
