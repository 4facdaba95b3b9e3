"""A ladder whose pairs all reject alike."""

import numpy as np

from mcmc_bench.sampling.tuning.ladder import even


def test_an_even_ladder_cuts_the_rejections_into_equal_parts():
    ladder = even(np.array([1.0, 0.5, 0.1]), np.array([0.8, 0.2]))
    np.testing.assert_allclose(ladder, [1.0, 1.0 - 0.5 * 0.5 / 0.8, 0.1])
