"""Rounds of tuning: transitions of all chains, one at a time, within a budget of target evaluations.

Sees chains only through their positions and statistics. Must not know any kernel, nor what is learned from a round.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from mcmc_bench.core.arrays import Array, BoolArray
from mcmc_bench.core.sampler import ACCEPTANCE, ENERGY_ERROR, STATISTICS
from mcmc_bench.sampling.chains import Chains


class Rounds:
    """The chains that are tuned, and how much of the budget is gone.

    Args:
        chains: all chains.
        evaluations: the budget of each chain.
        undone: ``statistics (chain, statistic) -> (chain,)``: further chains whose transition is undone.
    """

    def __init__(self, chains: Chains, evaluations: int, undone: Callable[[Array], BoolArray]) -> None:
        self.chains, self._evaluations, self._undone = chains, evaluations, undone
        self._begun = float(chains.spent.mean())
        self.count, self.extra_sums = 0, np.zeros(0)

    @property
    def spent(self) -> float:
        """Share of the budget that is gone."""
        return (float(self.chains.spent.mean()) - self._begun) / self._evaluations

    def value(self, name: str) -> float:
        """The present value of a setting."""
        return self.chains.setup.settings[name]

    def set(self, name: str, value: float) -> None:
        """Go on with another value of a setting."""
        self.chains.set({**self.chains.setup.settings, name: value})

    def make(self) -> Array:
        """One transition of all chains; returns the statistics (chain, statistic).

        A chain that becomes non-finite goes back to where it was.
        """
        before = self.chains.state()
        self.chains.advance(1)
        statistics = self.chains.all("statistics")
        non_finite = np.logical_not(np.isfinite(self.chains.all("position")).all(axis=1))
        statistics[non_finite, ACCEPTANCE], statistics[non_finite, ENERGY_ERROR] = 0.0, np.inf
        back = non_finite | self._undone(statistics)
        if back.any():
            self.chains.restore(before, back)
        self.extra_sums = statistics[:, len(STATISTICS) :].mean(axis=0) + (self.extra_sums if self.count else 0.0)
        self.count += 1
        return statistics
