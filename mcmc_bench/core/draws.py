"""The results of one run of a sampler: positions, statistics, and what they cost.

Pure data, shared by the half that samples and the half that measures. Must not know either.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from mcmc_bench.core.arrays import Array


@dataclass(frozen=True)
class Cost:
    """Target evaluations per chain, and seconds of the whole run, by phase."""

    warmup_evaluations: float = 0.0  # includes the evaluation at the start
    sampling_evaluations: float = 0.0  # mean over chains; a chain that became non-finite costs what it used
    tuning_evaluations: float = 0.0
    compile_seconds: float = 0.0
    tuning_seconds: float = 0.0
    warmup_seconds: float = 0.0
    sampling_seconds: float = 0.0

    @property
    def evaluations(self) -> float:
        """All target evaluations of one chain."""
        return self.tuning_evaluations + self.warmup_evaluations + self.sampling_evaluations


@dataclass(frozen=True, eq=False)
class Draws:
    """One replicate: all chains of one run. Everything after warmup; NaN after a chain has become non-finite."""

    position: Array  # (chain, draw, dim): every `thin`-th transition
    log_density: Array  # (chain, draw)
    acceptance_rate: Array  # (chain, draw): acceptance probability of the kept transitions
    diverging: npt.NDArray[np.bool_]  # (chain, draw)
    energy_error: Array  # (chain, draw)
    mean: Array  # (chain, dim): mean of x over all transitions, thinned or not
    mean_square: Array  # (chain, dim): mean of x²
    mean_acceptance: Array  # (chain,): over all transitions
    divergences: npt.NDArray[np.int64]  # (chain,): over all transitions
    stopped_at: npt.NDArray[
        np.int64
    ]  # (chain,): evaluations after which a chain became non-finite, −1 if it stayed finite
    start: Array  # (chain, dim)
    end: Array  # (chain, dim): last position
    transitions: int  # after warmup
    thin: int
    extra_statistics: Mapping[str, Array] = field(
        default_factory=dict
    )  # what else the sampler records, (chain, draw) each
    extra_statistic_means: Mapping[str, float] = field(default_factory=dict)  # over all chains and transitions
    tuned: Mapping[str, float] = field(default_factory=dict)  # settings that were tuned, and to what
    inverse_mass_matrix: Array | None = None  # (dim,) or (dim, dim), given or tuned
    schedule: Array = field(default_factory=lambda: np.empty(0))
    cost: Cost = field(default_factory=Cost)
    #: What the program that made the draws has not recorded, of "acceptance_rate", "divergences", "evaluations" and the seconds
    #: of `Cost`; the fields above then hold what stands for it, and no metric may claim it.
    not_recorded: frozenset[str] = frozenset()

    @property
    def chains(self) -> int:
        """Number of chains."""
        return self.position.shape[0]

    @property
    def dim(self) -> int:
        """Dimension of the target."""
        return self.position.shape[2]

    @property
    def flat(self) -> Array:
        """All finite kept positions of all chains, (chain · draw, dim)."""
        points = self.position.reshape(-1, self.dim)
        return points[np.isfinite(points).all(axis=1)]
