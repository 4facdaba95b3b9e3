"""Both averages find the step size at which a signal meets its goal."""

import numpy as np
import pytest

from mcmc_bench.core.streams import stream
from mcmc_bench.sampling.tuning.step_size import DualAveraging, EnergyVariance


def test_dual_averaging_finds_the_root():
    generator, dual = stream("dual averaging"), DualAveraging(5.0)
    for _ in range(500):
        dual.update(np.exp(-dual.step_size) - 0.6 + 0.2 * generator.standard_normal())
    assert dual.average == pytest.approx(-np.log(0.6), rel=0.1)


def test_energy_variance_finds_the_step():
    found = EnergyVariance(1.0, 0.02, 6.0)
    for _ in range(200):
        found.update(0.5 * found.step_size**6)
    assert 0.5 * found.average**6 == pytest.approx(4 * 0.02**3, rel=1e-6)
