"""A target for code written in Python: the same density, each evaluation counted.

Knows the target's contract. Must not know any particular sampler.
"""

from __future__ import annotations

import time
from typing import Literal

import numpy as np

from mcmc_bench.core.arrays import Array
from mcmc_bench.core.target import Target
from mcmc_bench.sampling.budget import SamplingError


class CountedTarget:
    """A target that counts its evaluations: handed to the Python part of a sampler."""

    def __init__(self, target: Target, chains: int) -> None:
        self.dim = target.dim
        self._target = target
        self._chains = chains
        self._points = self._points_before = 0
        self._clock = time.perf_counter()
        self._tuning_points = 0
        self.seconds = {"compilation": 0.0, "tuning": 0.0, "sampling": 0.0}

    @property
    def evaluations(self) -> int:
        """Target evaluations per chain so far."""
        return -(-self._points // self._chains)

    @property
    def tuning_evaluations(self) -> int:
        """Those of them that were spent on tuning."""
        return -(-self._tuning_points // self._chains)

    def ends(self, phase: Literal["compilation", "tuning", "sampling"]) -> None:
        """Since the last call, or the beginning, there was `phase`. What nothing is said of is sampling.

        A compilation may call the target to see what it gives; such calls are not counted.
        """
        now = time.perf_counter()
        self.seconds[phase] += now - self._clock
        self._clock = now
        if phase == "compilation":
            self._points = self._points_before
        elif phase == "tuning":
            self._tuning_points += self._points - self._points_before
        self._points_before = self._points

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
