"""What a picture is given, as tables: a study, tables, an estimator or arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any, NamedTuple

import pandas as pd

from hyperribbon.errors import DataError

RUN = (["training"], ["configuration", "seed"])  # columns that tell trainings apart
OF_EMBEDDING = ("models", "explained_stress")  # tables that are made of arrays, too


class Tables(NamedTuple):
    """Tables by name, and the split that is drawn.

    Attributes
    ----------
    tables : mapping
        DataFrames, with the columns of the workflow's CSV files.
    split : str or None
        ``train``, ``test``, or None for what there is, train first.
    """

    tables: Mapping[str, pd.DataFrame]
    split: str | None = None

    def rows(self, name: str, columns: Sequence[str] = ()) -> pd.DataFrame:
        """Rows of a table on the split, with a new index.

        Raises
        ------
        DataError
            If the table, a column or the split is missing.

        Examples
        --------
        >>> both = pd.DataFrame({"split": ["train", "test"], "pc1": [1.0, 2.0]})
        >>> Tables({"models": both}, "test").rows("models", ["pc1"])["pc1"].tolist()
        [2.0]
        >>> Tables({"models": both}).rows("tubes")
        Traceback (most recent call last):
        ...
        hyperribbon.errors.DataError: data: no table tubes, only models
        """
        if name not in self.tables:
            raise DataError(f"data: no table {name}, only {', '.join(map(str, self.tables))}")
        table = self.tables[name]
        for column in columns:
            if column not in table:
                names = ", ".join(map(str, table))
                raise DataError(f"data: no column {column} in the table {name}, which has {names}")
        split = self.split_of(name)
        if split is not None:
            table = table[table["split"] == split]
        return table.reset_index(drop=True)

    def optional(self, name: str, columns: Sequence[str] = ()) -> pd.DataFrame | None:
        """Rows of a table on the split, or None if the table does not have them."""
        if name not in self.tables or not {*columns} <= {*self.tables[name]}:
            return None
        table = self.tables[name]
        if self.split and "split" in table and self.split not in set(table["split"]):
            return None
        rows = self.rows(name)
        return rows if len(rows) else None

    def split_of(self, name: str) -> str | None:
        """The split of a table that is drawn; None if the table has no splits."""
        table = self.tables[name]
        if "split" not in table or table.empty:
            return None
        found = list(dict.fromkeys(table["split"]))
        if self.split is None:
            return "train" if "train" in found else found[0]
        if self.split not in found:
            names = ", ".join(map(str, found))
            raise DataError(f"split = {self.split!r}: the table {name} has {names}")
        return self.split

    def names(self, name: str, column: str) -> pd.Series | None:
        """A column in all of the study, whose order decides colours; None if there is none."""
        for table in ("models", name):
            if table in self.tables and column in self.tables[table]:
                return self.tables[table][column]
        return None


def as_tables(
    data: Any, main: str, *, split: str | None = None, labels: Any = None, components: int = 0
) -> Tables:
    """Turn what a picture is given into tables.

    Parameters
    ----------
    data : study, mapping, DataFrame, estimator or array
        What has ``tables``; a mapping of DataFrames; one DataFrame; a fitted InPCA; coordinates
        (m, k); predictions (m, N, C), (S, K, N, C), a list of such arrays or a mapping from names
        of trainings to them.
    main : str
        The table that is drawn, which a single DataFrame is taken for.
    split : str, optional
        The split that is drawn.
    labels : array of int, optional
        (N,) true classes of predictions: with them there are loss, error, progress and geodesic.
    components : int
        Coordinates that are drawn, and so have to be computed of predictions; 0 for none, if the
        picture is not of an embedding.

    Raises
    ------
    DataError
        If ``data`` is nothing of these, in one line.

    Examples
    --------
    >>> list(as_tables([[0.5, 1.0], [0.0, 2.0]], "models").rows("models"))
    ['pc1', 'pc2']
    >>> as_tables("results/mnist5k", "models")
    Traceback (most recent call last):
    ...
    hyperribbon.errors.DataError: data: 'results/mnist5k', expected a study, tables, a fitted \
InPCA, coordinates (m, k) or predictions (m, N, C)
    """
    tables = {main: data} if isinstance(data, pd.DataFrame) else getattr(data, "tables", data)
    if isinstance(tables, Mapping) and _are_tables(tables):
        if labels is not None:
            raise DataError("labels: given with tables, expected them with predictions only")
        return Tables(tables, split)
    if main not in OF_EMBEDDING or isinstance(data, str | bytes) or data is None:
        raise DataError(f"data: {_shown(data)}, expected {_expected(main)}")
    if split is not None:
        raise DataError(f"split = {split!r}: arrays and estimators are of one split; leave it out")
    # By its name, so that figures of tables do not depend on code that computes.
    arrays = import_module("hyperribbon.plot.arrays")
    if hasattr(data, "fit"):
        return Tables(arrays.tables_of_estimator(data, labels))
    return Tables(arrays.tables_of_arrays(data, labels, components))


def of_split(table: pd.DataFrame, split: str) -> pd.DataFrame:
    """Rows of a table on a split, which may be none."""
    return table[table["split"] == split]


def run_columns(models: pd.DataFrame) -> list[str]:
    """Columns that tell the trainings of a table of models apart; none if it does not say.

    >>> run_columns(pd.DataFrame({"training": [0], "pc1": [0.5]}))
    ['training']
    """
    return next((keys for keys in RUN if {*keys} <= {*models}), [])


def in_order(models: pd.DataFrame) -> pd.DataFrame:
    """Models in the order of their training."""
    return models.sort_values("checkpoint", kind="stable") if "checkpoint" in models else models


def _are_tables(data: Mapping) -> bool:
    """Whether a mapping is of tables; those that a study reads on request are not looked at."""
    return not isinstance(data, dict) or all(isinstance(t, pd.DataFrame) for t in data.values())


def _expected(main: str) -> str:
    if main not in OF_EMBEDDING:
        return f"a study, tables, or the table {main}"
    return "a study, tables, a fitted InPCA, coordinates (m, k) or predictions (m, N, C)"


def _shown(data: Any) -> str:
    shape = getattr(data, "shape", None)
    if shape is not None:
        return f"shape {tuple(shape)}"
    return repr(data) if isinstance(data, str | bytes | float | int) else type(data).__name__
