"""Growth of Fisher eigenvalues of a regression."""

import numpy as np
import pandas as pd
import pytest

from hyperribbon.reporting.claims import NotHere
from hyperribbon.studies.regression import further_claims as claims


def tables(moments=("initialisation", "middle", "end")):
    index = np.arange(1, 21)
    rows = [
        pd.DataFrame({"index": index, "eigenvalue": 10.0 ** (-index + (index > 3) * epoch)}).assign(
            data="boston", matrix="fisher", network="8", seed=seed, moment=moment, epoch=epoch
        )
        for seed in range(3)
        for epoch, moment in enumerate(moments)
    ]
    sloppiness = pd.DataFrame({"data": "boston", "matrix": "fisher", "network": "8",
                               "seed": range(3), "moment": moments[-1], "elbow": 3.0})  # fmt: skip
    return {"regression_spectra": pd.concat(rows), "regression_sloppiness": sloppiness}


def test_sloppy_eigenvalues_grow_and_the_largest_does_not():
    found = tables()
    ours = claims.sloppy_grow_more(found)
    assert ours.value == pytest.approx(2) and ours.drawn.endswith("that all agree")
    assert claims.growth_of_largest(found).value == pytest.approx(1)
    with pytest.raises(NotHere, match="two moments"):
        claims.sloppy_grow_more(tables(moments=("end",)))
