"""The factors in which configurations differ."""

import pandas as pd


def separate_factors(configurations: pd.DataFrame) -> pd.DataFrame:
    """Factors of configurations, with the optimiser split into its parts if these determine it.

    Weight decay is replaced by its rank among configurations with the same algorithm, the smallest
    first, and the learning rate by its rank among those with the same algorithm and batch size, the
    largest first: their values would reveal the algorithm and the batch size.

    Parameters
    ----------
    configurations : one row per configuration: network, optimiser, augmentation, and algorithm,
        batch_size, learning_rate and weight_decay, which may be missing

    Returns
    -------
    DataFrame, one row per configuration: network, optimiser and augmentation, or the optimiser's
    four parts in its place

    Examples
    --------
    >>> rows = [("A", "sgd", 10, 0.1, 0.0), ("B", "sgd", 20, 0.2, 1e-3), ("C", "adam", 10, 1e-3, 0)]
    >>> names = ["optimiser", "algorithm", "batch_size", "learning_rate", "weight_decay"]
    >>> table = pd.DataFrame(rows, columns=names).assign(network="N", augmentation="none")
    >>> separate_factors(table)[["algorithm", "batch_size", "learning_rate", "weight_decay"]].values
    array([['sgd', 10, 1, 1],
           ['sgd', 20, 1, 2],
           ['adam', 10, 1, 1]], dtype=object)
    """
    parts = configurations[["algorithm", "batch_size", "learning_rate", "weight_decay"]].copy()
    known = parts.notna().all(axis=None)
    one_to_one = len(parts.drop_duplicates()) == configurations["optimiser"].nunique()
    names = configurations[["network", "optimiser", "augmentation"]]
    if not (known and one_to_one):
        return names.copy()
    for name, within, ascending in (
        ("weight_decay", ["algorithm"], True),
        ("learning_rate", ["algorithm", "batch_size"], False),
    ):
        ranks = configurations.groupby(within)[name].rank("dense", ascending=ascending)
        parts[name] = ranks.astype(int)
    return names[["network"]].join(parts).join(names["augmentation"])
