"""The replicates of a cell with the truth beside them: what every metric starts from.

Must not know any metric.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from mcmc_bench.core.arrays import Array
from mcmc_bench.core.draws import Draws
from mcmc_bench.core.target import Target
from mcmc_bench.metrics.reference import Reference


class NotGiven(Exception):  # noqa: N818 - no error: a metric has no value for this cell
    """A metric has no value for a cell; the message says why.

    Attributes:
        floor: what independent draws would give, where that is known all the same.
    """

    def __init__(self, why: str, floor: float | None = None) -> None:
        super().__init__(why)
        self.floor = floor


@dataclass(eq=False)
class Measured:
    """Replicates of one cell."""

    replicates: Sequence[Draws]
    target: Target
    reference: Reference
    budget: int
    warmup_share: float
    _computed: dict[Callable[[Measured], Any], Any] = field(default_factory=dict)

    def once(self, compute: Callable[[Measured], Any]) -> Any:
        """``compute(self)``, computed at the first call."""
        if compute not in self._computed:
            self._computed[compute] = compute(self)
        return self._computed[compute]

    @cached_property
    def failed(self) -> list[bool]:
        """Of each replicate: whether a chain became non-finite, or its kept draws or means are not finite."""
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
        return f"{left} of {self.chains} chains became non-finite" if left else "not finite" if any(self.failed) else ""

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
        """The replicates whose evaluations are known and whose chains all stayed finite."""
        return [
            draws
            for draws, failed in zip(self.replicates, self.failed, strict=True)
            if not failed and draws.cost.sampling_evaluations > 0
        ]

    @property
    def evaluations_per_transition(self) -> float:
        """Target evaluations of one chain for one transition, counted where all chains stayed finite."""
        return self.ideal / float(np.mean([draws.transitions for draws in self._counted or self.replicates]))

    @cached_property
    def ideal(self) -> float:
        """Independent draws of a chain that its evaluations after warmup would buy.

        As counted where all chains stayed finite: a sampler of another library need not spend the budget to the last. Where
        nothing is counted, as the budget allows.
        """
        counted = [draws.cost.sampling_evaluations for draws in self._counted]
        return float(np.mean(counted)) if counted else self.budget * (1.0 - self.warmup_share)

    def not_recorded(self, what: str) -> bool:
        """Whether the program that made the draws does not record `what`, see `Draws.not_recorded`."""
        return any(what in draws.not_recorded for draws in self.replicates)

    def need_recorded(self, what: str) -> None:
        """Raise `NotGiven` if the program that made the draws does not record `what`."""
        if self.not_recorded(what):
            raise NotGiven("not recorded")

    def need_draws(self, fewest: int = 1) -> None:
        """Raise `NotGiven` if fewer than that many draws of a chain were kept."""
        if self.kept < fewest:
            raise NotGiven("draws were not kept" if fewest == 1 else f"fewer than {fewest} draws were kept")


def chain_estimates(draws: Draws) -> Array:
    """Means of x and x² of every chain, (chain, 2 · dim); NaN for a chain that became non-finite."""
    estimates = np.concatenate([draws.mean, draws.mean_square], axis=1)
    return np.where((draws.stopped_at >= 0)[:, None], np.nan, estimates)


def evenly(count: int, at_most: int) -> npt.NDArray[np.int64]:
    """At most `at_most` of the indices below `count`, evenly spread."""
    if count <= at_most:
        return np.arange(count)
    return np.linspace(0, count - 1, at_most).round().astype(np.int64)
