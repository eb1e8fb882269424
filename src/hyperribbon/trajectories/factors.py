"""The factors in which configurations differ."""

import pandas as pd


def separate_factors(configurations: pd.DataFrame) -> pd.DataFrame:
    """Factors of configurations, with the optimiser in its parts where they say all of it.

    Weight decay is told by its rank among those of the same algorithm, from the least, and the
    learning rate by its rank among those of the same algorithm and batch size, from the highest:
    their values would give away the others.

    Parameters
    ----------
    configurations : a row a configuration: network, optimiser, augmentation, and algorithm,
        batch_size, learning_rate and weight_decay, missing where unknown

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
