"""Several studies side by side: pictures, what dimensions explain, and claims."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

import pandas as pd

from hyperribbon.analysis.across.explained import explained_by_dimension
from hyperribbon.analysis.across.pictures import Picture, pictures_of
from hyperribbon.analysis.study import Study
from hyperribbon.errors import DataError
from hyperribbon.reporting.page import page_path, write_text
from hyperribbon.reporting.side_by_side import (
    check_claims,
    claims_side_by_side,
    count_verdicts,
)
from hyperribbon.storage.tables import write_table


class StudyComparison:
    """Several studies side by side, made by `hyperribbon.compare_studies`.

    Attributes
    ----------
    names : tuple of str
        Names of the studies, in the order in which they were given.
    pictures : list of Picture
        Studies that share samples, put together; every other one by itself. ``picture.study`` is a
        `hyperribbon.Study` of all of its models, whose table of models says which study each is of.
    apart : list of str
        Sentences that say which studies do not share samples, and why.
    claims : DataFrame
        The claims of all studies that have any, one below the other; the column study names them.
    """

    def __init__(self, studies: Mapping[str, Study | pd.DataFrame]):
        self._claims: dict[str, pd.DataFrame] = {}
        families: dict[str, Study] = {}
        for name, study in studies.items():
            if isinstance(study, Study):
                families[name] = study
                if "claims" in study.tables:
                    self._claims[name] = study.tables["claims"]
            elif isinstance(study, pd.DataFrame):
                self._claims[name] = study
            else:
                kind = type(study).__name__
                raise DataError(f"studies: {name} is a {kind}, expected a Study or its claims")
        if len(studies) < 2:
            raise DataError(f"studies: {len(studies)}, expected two or more to compare")
        for name, claims in self._claims.items():
            check_claims(claims, name)
        self.names = tuple(studies)
        self.pictures: list[Picture]
        self.pictures, self.apart = pictures_of(families)

    @property
    def about(self) -> list[str]:
        """Sentences that say what is compared, on which samples, and what is not."""
        said = [sentence for picture in self.pictures for sentence in picture.about]
        said += self.apart
        shown = {name for picture in self.pictures for name in picture.names}
        for name in self.names:
            if name not in shown:
                said.append(f"{name} has no predictions; only its claims are compared.")
            elif name not in self._claims:
                said.append(f"{name} has no claims.")
        return said

    @property
    def claims(self) -> pd.DataFrame:
        """The claims of all studies, one below the other."""
        tables = [claims.assign(study=name) for name, claims in self._claims.items()]
        return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()

    @property
    def side_by_side(self) -> pd.DataFrame:
        """One row per claim, columns by study; see `claims_side_by_side`."""
        return claims_side_by_side(self._claims)

    @property
    def verdicts(self) -> pd.DataFrame:
        """Number of claims by study (rows) and verdict (columns)."""
        return count_verdicts(self._claims)

    @cached_property
    def explained(self) -> pd.DataFrame:
        """What the first dimensions explain, of each study and of all together, beside null models.

        See `hyperribbon.analysis.across.explained.explained_by_dimension` for the columns.
        """
        return explained_by_dimension(self.pictures)

    def write(self, path: str | Path) -> list[Path]:
        """Write the comparison as a page, which loads nothing from the network, and as tables.

        Parameters
        ----------
        path : path
            The page, NAME.html, which is replaced if it exists. The tables are beside it,
            NAME_explained.csv and NAME_claims.csv.

        Returns
        -------
        list of Path
            What was written, the page first.
        """
        path = page_path(path)
        from hyperribbon.analysis.across.page import comparison_page  # plotly takes time to import

        write_text(path, comparison_page(self))
        tables = {"explained": self.explained if self.pictures else None, "claims": self.claims}
        written = [path]
        for name, table in tables.items():
            if table is not None and len(table):
                written.append(path.with_name(f"{path.stem}_{name}.csv"))
                write_table(table, written[-1])
        return written

    def __repr__(self) -> str:
        together = "; ".join(" and ".join(picture.names) for picture in self.pictures)
        return f"StudyComparison of {', '.join(self.names)} (pictures: {together or 'none'})"


def compare_studies(studies: Mapping[str, Study | pd.DataFrame]) -> StudyComparison:
    """Put studies side by side: in one picture where they share samples, and claim by claim.

    Studies share samples if they are of the same source, such as CIFAR-10, and have at least 50 of
    its samples in common, or if their samples are the same. Their models are then embedded
    together on these samples; of each study, models are taken evenly along its trainings, 3,000 in
    all at most.

    Parameters
    ----------
    studies : mapping
        From names to studies. Of a study without predictions, its table of claims.

    Returns
    -------
    StudyComparison

    Raises
    ------
    DataError
        If there are fewer than two studies, or something else is given.

    Examples
    --------
    >>> import numpy as np
    >>> import hyperribbon as hr
    >>> labels = np.arange(12) % 3
    >>> P = np.random.default_rng(0).dirichlet(np.ones(3), size=(3, 2, 5, 12))
    >>> few, more = (hr.Study.from_arrays({"a": p[0], "b": p[1]}, labels) for p in P[:2])
    >>> compared = hr.compare_studies({"few": few, "more": more})
    >>> compared.about[0]
    'few and more share 12 train samples (all of them).'
    >>> compared.pictures[0].study.models.groupby("study").size().to_dict()
    {'few': 10, 'more': 10}
    """
    return StudyComparison(studies)
