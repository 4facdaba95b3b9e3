"""Densities that are not written in numba: NumPy callables, PyMC models, Stan models through BridgeStan.

Each becomes a `Target` like any other. Must not know any particular density, sampler or metric.
"""

from mcmc_bench.densities.callables import from_numpy
from mcmc_bench.densities.pymc import from_pymc
from mcmc_bench.densities.stan import from_stan

__all__ = ["from_numpy", "from_pymc", "from_stan"]
