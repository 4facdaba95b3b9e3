"""The covariance that is learned from batches, and what is made of one that cannot be used."""

import numpy as np

from mcmc_bench.core.streams import stream
from mcmc_bench.sampling.tuning.mass_matrix import Welford, usable


def test_welford_is_the_covariance():
    x = stream("welford").standard_normal((300, 4)) @ np.diag([1, 2, 3, 4.0]) + 1e6
    for dense in (True, False):
        welford = Welford(4, dense=dense)
        for batch in np.split(x, 10):
            welford.update(batch)
        expected = np.cov(x.T) if dense else x.var(axis=0, ddof=1)
        np.testing.assert_allclose(welford.covariance, expected, rtol=1e-6, atol=1e-6)


def test_a_covariance_that_cannot_be_an_inverse_mass_matrix_is_made_usable():
    np.testing.assert_array_equal(usable(np.array([1.0, 0.0, np.nan]), 10), [1.0, 1e-10, 1e-10])
    singular = np.ones((3, 3))
    np.linalg.cholesky(usable(singular, 100))
