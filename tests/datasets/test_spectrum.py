"""The spectrum of sloppy inputs."""

import numpy as np

from hyperribbon.data.sloppy import load, sloppy_eigenvalues
from hyperribbon.data.spectrum import input_spectrum


def test_the_spectrum_of_the_inputs_is_near_the_variances():
    train, _ = load(features=20, decay=0.3, train_size=20_000, test_size=1)
    found = input_spectrum(train.images, 0.3)
    np.testing.assert_allclose(found["variance"], sloppy_eigenvalues(20, 0.3))
    np.testing.assert_allclose(found["eigenvalue"], found["variance"], rtol=0.1)


def test_of_inputs_that_are_not_drawn_no_variance_is_known():
    X = np.diag([2.0, 4.0, 0.0])
    found = input_spectrum(X)
    np.testing.assert_allclose(found["eigenvalue"], [16 / 3, 4 / 3, 0])
    assert found["variance"].isna().all()
