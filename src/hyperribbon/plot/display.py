"""A picture of an embedding as scikit-learn's users expect it."""

from __future__ import annotations

from typing import Any, Self

import pandas as pd

from hyperribbon.errors import DataError
from hyperribbon.plot._embedding import embedding
from hyperribbon.plot.canvas import figure_of
from hyperribbon.plot.tables import as_tables


class InPCADisplay:
    """Visualisation of an InPCA, which stores what it draws.

    Create it by `from_estimator` or `from_predictions`; draw it again by `plot`.

    Parameters
    ----------
    models : DataFrame
        One row per model: coordinates pc1, pc2, ... and whatever colours them.
    explained_stress : DataFrame, optional
        One row per dimension: dimension, eigenvalue, kind, explained_stress.
    geodesic : DataFrame, optional
        Points of the geodesic from ignorance to the truth: alpha, pc1, pc2, ...

    Attributes
    ----------
    ax_ : matplotlib Axes
        With the picture.
    figure_ : matplotlib Figure
        That contains it.

    See Also
    --------
    hyperribbon.plot.embedding : Draws the picture.

    Examples
    --------
    >>> import numpy as np
    >>> import hyperribbon as hr
    >>> P = np.random.default_rng(0).dirichlet(np.ones(3), size=(20, 30))
    >>> display = hr.plot.InPCADisplay.from_predictions(P, labels=np.arange(30) % 3)
    >>> display.ax_.get_xlabel()
    'PC1'
    >>> display.geodesic.shape
    (11, 4)
    """

    ax_: Any
    figure_: Any

    def __init__(
        self,
        models: pd.DataFrame,
        *,
        explained_stress: pd.DataFrame | None = None,
        geodesic: pd.DataFrame | None = None,
    ):
        self.models = models
        self.explained_stress = explained_stress
        self.geodesic = geodesic

    @classmethod
    def from_estimator(
        cls, estimator: Any, *, labels: Any = None, ax: Any = None, **looks: Any
    ) -> Self:
        """Draw a fitted estimator.

        Parameters
        ----------
        estimator : InPCA or IsKL
            Fitted.
        labels : array of int, optional
            (N,) true classes, if it was fitted to predictions: the geodesic is drawn, too.
        ax : Axes, optional
            Where to draw.
        **looks
            Other options of `hyperribbon.plot.embedding`.

        Returns
        -------
        InPCADisplay

        Raises
        ------
        DataError
            If it is not fitted, or was fitted to distances and labels are given.

        Examples
        --------
        >>> import numpy as np
        >>> import hyperribbon as hr
        >>> P = np.random.default_rng(0).dirichlet(np.ones(3), size=(20, 30))
        >>> inpca = hr.InPCA(n_components=2).fit(P)
        >>> hr.plot.InPCADisplay.from_estimator(inpca).ax_.get_ylabel()
        'PC2'
        """
        if not hasattr(estimator, "fit"):
            raise DataError(f"estimator: {type(estimator).__name__}, expected a fitted InPCA")
        found = as_tables(estimator, "models", labels=labels)
        return cls(**found.tables).plot(ax, **looks)

    @classmethod
    def from_predictions(
        cls,
        P: Any,
        labels: Any = None,
        *,
        n_components: int = 3,
        ax: Any = None,
        **looks: Any,
    ) -> Self:
        """Compute the InPCA of predictions, and draw it.

        Parameters
        ----------
        P : array, list of arrays or mapping of arrays
            Predictions (m, N, C), (S, K, N, C), a list of trainings, or a mapping from their names
            to them.
        labels : array of int, optional
            (N,) true classes, with which the geodesic is drawn, too.
        n_components : int
            Number of coordinates.
        ax : Axes, optional
            Where to draw.
        **looks
            Other options of `hyperribbon.plot.embedding`.

        Returns
        -------
        InPCADisplay

        Raises
        ------
        DataError
            If P are no predictions, or labels do not fit.

        Examples
        --------
        >>> import numpy as np
        >>> import hyperribbon as hr
        >>> trainings = np.random.default_rng(0).dirichlet(np.ones(3), size=(2, 8, 30))
        >>> display = hr.plot.InPCADisplay.from_predictions(trainings, color="checkpoint")
        >>> display.models.columns.tolist()
        ['training', 'checkpoint', 'pc1', 'pc2', 'pc3']
        """
        found = as_tables(P, "models", labels=labels, components=n_components)
        return cls(**found.tables).plot(ax, **looks)

    def plot(self, ax: Any = None, **looks: Any) -> Self:
        """Draw the picture again.

        Parameters
        ----------
        ax : Axes, optional
            Where to draw; by default, a new figure.
        **looks
            Other options of `hyperribbon.plot.embedding`.

        Returns
        -------
        InPCADisplay
            Itself.

        Examples
        --------
        >>> display = InPCADisplay(pd.DataFrame({"pc1": [0.0, 1.0], "pc2": [1.0, 0.0]}))
        >>> display.plot(dimensions=2).figure_.axes == [display.ax_]
        True
        """
        tables = {
            "models": self.models,
            "explained_stress": self.explained_stress,
            "geodesic": self.geodesic,
        }
        known = {name: table for name, table in tables.items() if table is not None}
        self.ax_ = embedding(known, ax=ax, **looks)
        self.figure_ = figure_of(self.ax_)
        return self
