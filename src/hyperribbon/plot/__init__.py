"""Pictures: each function takes a study, its tables or arrays, and returns matplotlib's Axes.

>>> import numpy as np
>>> import hyperribbon as hr
>>> P = np.random.default_rng(0).dirichlet(np.ones(3), size=(20, 30))
>>> axes = hr.plot.embedding(P, labels=np.arange(30) % 3, dimensions=2)
>>> axes.get_xlabel(), axes.get_ylabel()
('PC1', 'PC2')

What is given, in all functions:

- ``data``: a study, or anything else with ``tables``; a mapping of such tables (pandas DataFrames,
  named and structured as the workflow's CSV files); one table; and, where a function says so, a
  fitted `InPCA`, coordinates or predictions;
- ``color``: the name of a column, one value per row, or a matplotlib colour. Names get a palette
  and a legend, numbers a colour map and a colour bar;
- ``style``: the name of a column, or one value per row, which decides the markers or lines;
- ``ax``: where to draw. Without it, there is a new figure in the project's style. Your settings
  of matplotlib are not changed.

A `DataError` in one line says what cannot be drawn.
"""

from importlib import import_module

# A picture's module has an underscore, so that importing it cannot hide the function. For editors,
# `__init__.pyi` says the same.
_HOME_OF = {
    "InPCADisplay": "display",
    "curvature_spectrum": "_curvature_spectrum",
    "dendrogram": "_dendrogram",
    "embedding": "_embedding",
    "pairs": "_pairs",
    "phase_diagram": "_phase_diagram",
    "progress": "_progress",
    "samples": "_samples",
    "spectrum": "_spectrum",
    "to_geodesic": "_to_geodesic",
    "tubes": "_tubes",
}

__all__ = [
    "InPCADisplay",
    "curvature_spectrum",
    "dendrogram",
    "embedding",
    "pairs",
    "phase_diagram",
    "progress",
    "samples",
    "spectrum",
    "to_geodesic",
    "tubes",
]


def __getattr__(name: str):
    """Import a picture on first use: matplotlib takes a while."""
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
