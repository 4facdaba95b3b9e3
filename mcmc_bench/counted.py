"""A target for code written in Python: the same density, each evaluation counted.

Knows the target's contract. Must not know any particular sampler.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mcmc_bench.plan import SamplingError
from mcmc_bench.target import Target

Array = npt.NDArray[np.float64]


class CountedTarget:
    """What a sampler's Python part is given."""

    def __init__(self, target: Target, chains: int) -> None:
        self.dim = target.dim
        self._target = target
        self._chains = chains
        self._points = 0

    @property
    def evaluations(self) -> int:
        """Target evaluations per chain so far."""
        return -(-self._points // self._chains)

    def log_density_and_gradient(self, x: Array) -> tuple[Array, Array]:
        """Log density (n,) and gradient (n, dim) at `x` (n, dim); counts n evaluations of the block."""
        self._points += len(np.atleast_2d(x))
        return self._target.log_density_and_gradient(x)

    def exact_draws(self, generator: np.random.Generator, n: int) -> Array:
        """`n` exact draws (n, dim); each counts as one evaluation of the block."""
        if self._target.draw_exact is None:
            raise SamplingError(f"{self._target.label} has no exact sampler: the oracle cannot run on it")
        self._points += n
        return self._target.draw_exact(generator, n)
