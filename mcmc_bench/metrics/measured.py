"""The replicates of a cell with the truth beside them: what every group of metrics starts from.

Must not know what the groups compute.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from mcmc_bench.core.draws import Array, Draws
from mcmc_bench.core.results import MetricValue
from mcmc_bench.core.target import Target
from mcmc_bench.metrics.reference import Reference


@dataclass(eq=False)
class Measured:
    """Replicates of one cell."""

    replicates: Sequence[Draws]
    target: Target
    reference: Reference
    budget: int
    warmup_share: float

    @cached_property
    def failed(self) -> list[bool]:
        """Of each replicate: whether a chain has left, or its kept draws or means are not finite."""
        return [
            bool((draws.stopped_at >= 0).any() or not (np.isfinite(draws.mean).all() and np.isfinite(draws.end).all()))
            for draws in self.replicates
        ]

    @property
    def chains(self) -> int:
        """Chains of all replicates."""
        return sum(draws.chains for draws in self.replicates)

    @property
    def failure(self) -> str:
        """Why estimates do not exist, in words; empty if they do."""
        left = sum(int((draws.stopped_at >= 0).sum()) for draws in self.replicates)
        return f"{left} of {self.chains} chains left" if left else "not finite" if any(self.failed) else ""

    @property
    def kept(self) -> int:
        """Kept draws of a chain; 0 if draws were not kept."""
        return min(draws.position.shape[1] for draws in self.replicates)

    @cached_property
    def estimates(self) -> Array:
        """Every chain's means of x and x² over all transitions, (chains of all replicates, 2 · dim)."""
        return np.concatenate([chain_estimates(draws) for draws in self.replicates])

    @cached_property
    def modes(self) -> list[npt.NDArray[np.int64]]:
        """Mode of every kept draw, (chain, draw) for each replicate; −1 for none. Of a failed replicate: empty."""
        return [
            np.empty((draws.chains, 0), dtype=np.int64)
            if failed
            else self.reference.assign(draws.position.reshape(-1, draws.dim)).reshape(draws.position.shape[:2])
            for draws, failed in zip(self.replicates, self.failed, strict=True)
        ]

    @cached_property
    def _counted(self) -> list[Draws]:
        """The replicates whose evaluations are known and no chain has left."""
        return [
            draws
            for draws, failed in zip(self.replicates, self.failed, strict=True)
            if not failed and draws.cost.sampling_evaluations > 0
        ]

    @property
    def evaluations_per_transition(self) -> float:
        """Target evaluations of one chain for one transition, counted where no chain has left."""
        return self.ideal / float(np.mean([draws.transitions for draws in self._counted or self.replicates]))

    @cached_property
    def ideal(self) -> float:
        """Independent draws of a chain that its evaluations after warmup would buy.

        As counted where no chain has left: a sampler of another library need not spend the budget to the last. Where
        nothing is counted, as the budget allows.
        """
        counted = [draws.cost.sampling_evaluations for draws in self._counted]
        return float(np.mean(counted)) if counted else self.budget * (1.0 - self.warmup_share)

    def not_recorded(self, what: str) -> bool:
        """Whether the program that made the draws does not tell `what`, see `Draws.not_recorded`."""
        return any(what in draws.not_recorded for draws in self.replicates)

    def not_given(self, metrics: Sequence[str], note: str) -> list[MetricValue]:
        """Rows without value."""
        return [MetricValue(metric, None, replicates=len(self.replicates), note=note) for metric in metrics]


def chain_estimates(draws: Draws) -> Array:
    """Means of x and x² of every chain, (chain, 2 · dim); NaN for a chain that has left."""
    estimates = np.concatenate([draws.mean, draws.mean_square], axis=1)
    return np.where((draws.stopped_at >= 0)[:, None], np.nan, estimates)


def evenly(count: int, at_most: int) -> npt.NDArray[np.int64]:
    """At most `at_most` of the indices below `count`, evenly spread."""
    if count <= at_most:
        return np.arange(count)
    return np.linspace(0, count - 1, at_most).round().astype(np.int64)
