"""Blocks of chains that move in lock-step: of a compiled step, and of a sampler written in Python.

Knows the kernels and the contracts. Must not know any particular sampler or target, nor what the draws are for.
"""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mcmc_bench.core.arrays import Array, BoolArray
from mcmc_bench.core.sampler import ACCEPTANCE
from mcmc_bench.kernels.chunk import run_chunk
from mcmc_bench.sampling.budget import Plan, SamplingError
from mcmc_bench.sampling.counted_target import CountedTarget
from mcmc_bench.sampling.setup import Setup

#: Target evaluations of a block (chains × steps) between two looks at progress and Ctrl-C. A number and not a time,
#: so that results cannot depend on the speed of the machine.
CHUNK_EVALUATIONS = 400_000


Progress = Callable[[int], None]


@dataclass(frozen=True)
class Seconds:
    """Seconds of the phases of a run."""

    compilation: float = 0.0
    tuning: float = 0.0
    warmup: float = 0.0
    sampling: float = 0.0


class Block(ABC):
    """The state of one block of chains and what it has kept."""

    def __init__(self, setup: Setup, start: Array, generator: np.random.Generator) -> None:
        chains, dim = start.shape
        self.generator = generator
        self.outside = np.empty((chains, dim))
        self.stopped_at = np.full(chains, -1, dtype=np.int64)
        self.mean_powers = np.zeros((2, chains, dim))
        #: Target evaluations of each chain when tuning had ended, and when the warmup had.
        self.tuning_spent = self.warmup_spent = 0.0
        self.place(setup, start)
        self.keep(0)

    def place(self, setup: Setup, x: Array) -> None:
        """Begin at `x` (chain, dim) with another setup; costs the evaluations of a start."""
        self.setup = setup
        chains, dim = x.shape
        self.position = np.ascontiguousarray(setup.inside(x))
        self.log_density, self.gradient = np.empty(chains), np.empty((chains, dim))
        self.statistics = np.zeros((chains, len(setup.statistics)))
        self.statistic_sums = np.zeros_like(self.statistics)

    def keep(self, draws: int) -> None:
        """Make room for so many draws, and forget what was summed up; a chain that has become non-finite stays marked."""
        chains, dim = self.position.shape
        self.kept_position = np.empty((draws, chains, dim))
        self.kept_log_density = np.empty((draws, chains))
        self.kept_statistics = np.zeros((draws, *self.statistics.shape))
        self.mean_powers[:] = np.where(np.isnan(self.mean_powers), np.nan, 0.0)
        self.statistic_sums = np.zeros_like(self.statistics)
        self.done = 0

    @abstractmethod
    def run(self, plan: Plan, progress: Progress, stop: threading.Event) -> Seconds:
        """Warmup and measured transitions; returns what they took."""

    @property
    @abstractmethod
    def spent(self) -> float:
        """Target evaluations of each chain so far."""

    @property
    @abstractmethod
    def spent_when_stopped(self) -> Array:
        """Target evaluations of each chain when it became non-finite, (chain,); meaningless for one that stayed finite."""

    @property
    def not_recorded(self) -> frozenset[str]:
        """The names of what the sampler does not record, see `Draws.not_recorded`."""
        return frozenset()

    @property
    def x(self) -> Array:
        """The chains' positions in the target's own coordinates."""
        return self.setup.outside(self.position)

    def _look_up_log_density(self) -> None:
        """The target's log density at the kept draws: bookkeeping, not a cost of the sampler."""
        points = self.kept_position.reshape(-1, self.position.shape[1])
        log_density = np.full(len(points), np.nan)
        finite = np.isfinite(points).all(axis=1)
        if finite.any():
            log_density[finite] = self.setup.target.log_density_and_gradient(points[finite])[0]
        self.kept_log_density[:] = log_density.reshape(self.kept_log_density.shape)


class CompiledBlock(Block):
    """Chains that move by a compiled step, one transition after the other."""

    def __init__(self, setup: Setup, start: Array, generator: np.random.Generator) -> None:
        self.evaluations = np.zeros(1, dtype=np.int64)  # calls of the density
        self.extra_evaluations = 0.0  # at starts, where a call of the step's density costs less than one of the target
        super().__init__(setup, start, generator)

    def place(self, setup: Setup, x: Array) -> None:
        """Begin at `x` (chain, dim) with another setup; costs the evaluations of a start."""
        super().place(setup, x)
        target, sampler = setup.inner, setup.sampler
        chains, dim = x.shape
        target.pointer(self.position, self.log_density, self.gradient, target.data)
        if target.after_call is not None:
            target.after_call()
        self.extra_evaluations += 1.0
        bad = np.flatnonzero(~(np.isfinite(self.log_density) & np.isfinite(self.gradient).all(axis=1)))
        if len(bad):
            raise SamplingError(
                f"{setup.target.label}: log density {self.log_density[bad[0]]} or its gradient is not finite at the "
                f"start {np.array2string(x[bad[0]], threshold=6)}; start the chains elsewhere"
            )
        self.data = setup.prepared[1] if sampler.share_of_data is None else setup.prepared[1].copy()
        self.scratch = np.zeros((max(setup.number(sampler.scratch), 1), chains, dim))
        self.memory = np.zeros((max(setup.number(sampler.memory), 1), chains, dim))
        if sampler.init_memory is not None:
            counted = CountedTarget(target, chains)
            self.memory[:] = sampler.init_memory(counted, self.generator, setup.settings, setup.schedule, self.position)
            self.extra_evaluations += counted.evaluations

    def state(self) -> tuple[Array, ...]:
        """A copy of where the chains are."""
        return self.position.copy(), self.log_density.copy(), self.gradient.copy(), self.memory.copy()

    def restore(self, state: tuple[Array, ...], back: BoolArray) -> None:
        """Put the chains in `back`, (chain,), to where they were at `state`."""
        position, log_density, gradient, memory = state
        self.position[back], self.log_density[back] = position[back], log_density[back]
        self.gradient[back], self.memory[:, back] = gradient[back], memory[:, back]
        self.stopped_at[back] = -1
        self.mean_powers[:, back] = 0.0

    @property
    def spent(self) -> float:
        """Target evaluations of each chain so far."""
        share = self.setup.sampler.evaluation_share(self.setup.settings)
        return float(self.extra_evaluations + share * self.evaluations[0])

    @property
    def spent_when_stopped(self) -> Array:
        """Target evaluations of each chain when it became non-finite, (chain,); meaningless for one that stayed finite."""
        share = self.setup.sampler.evaluation_share(self.setup.settings)
        return np.asarray(self.extra_evaluations + share * self.stopped_at, dtype=np.float64)

    def advance(self, count: int, thin: int, progress: Progress, stop: threading.Event) -> None:
        """`count` further transitions, of which every `thin`-th is kept while there is room."""
        setup = self.setup
        per_step = max(1, int(setup.sampler.evaluations_per_step(setup.settings)))
        chunk = max(1, CHUNK_EVALUATIONS // (per_step * len(self.position)))
        step, density = setup.addresses
        for first in range(0, count, chunk):
            steps = min(chunk, count - first)
            run_chunk(
                step,
                density,
                self.data,
                self.generator,
                setup.vector,
                self.position,
                self.log_density,
                self.gradient,
                self.statistics,
                self.memory,
                self.scratch,
                self.evaluations,
                self.stopped_at,
                setup.root,
                self.outside,
                steps,
                self.done,
                thin,
                self.kept_position,
                self.kept_log_density,
                self.kept_statistics,
                self.mean_powers,
                self.statistic_sums,
            )
            self.done += steps
            if setup.target.after_call is not None:
                setup.target.after_call()
            progress(steps * len(self.position))
            if stop.is_set():
                raise KeyboardInterrupt

    def run(self, plan: Plan, progress: Progress, stop: threading.Event) -> Seconds:
        """Warmup and measured transitions; what the warmup has summed up is not part of the measurement."""
        before = time.perf_counter()
        self.keep(0)
        self.advance(plan.warmup, 1, progress, stop)
        self.warmup_spent, between = self.spent, time.perf_counter()
        self.keep(plan.kept)
        self.advance(plan.transitions, plan.thin, progress, stop)
        after = time.perf_counter()
        if self.setup.sampler.prepare is not None:  # what the step leaves is the log density of another target
            self._look_up_log_density()
        return Seconds(warmup=between - before, sampling=after - between)


class PythonBlock(Block):
    """Chains of a sampler written in Python, whose `draw` makes all transitions in one call."""

    _spent = 0.0

    @property
    def spent(self) -> float:
        """Target evaluations of each chain so far."""
        return self._spent

    @property
    def spent_when_stopped(self) -> Array:
        """Those of the whole run: when a chain became non-finite is not seen."""
        return self.stopped_at.astype(np.float64)

    @property
    def not_recorded(self) -> frozenset[str]:
        """Acceptance and divergences, but for the oracle, and evaluations where none were counted."""
        statistics = {"acceptance_rate", "divergences"} if self.setup.sampler.kind != "oracle" else set()
        return frozenset(statistics | (set() if self._spent else {"evaluations"}))

    def run(self, plan: Plan, progress: Progress, stop: threading.Event) -> Seconds:
        """All transitions at once; the warmup is cut off here, and costs its share of them."""
        if stop.is_set():
            raise KeyboardInterrupt
        self.keep(plan.kept)
        sampler, target, chains = self.setup.sampler, self.setup.target, len(self.position)
        assert sampler.draw is not None
        counted = CountedTarget(target, chains)
        total = plan.warmup + plan.transitions
        try:
            made = sampler.draw(counted, self.generator, self.position, total, self.setup.settings)
            positions = np.asarray(made, dtype=np.float64)
        except SamplingError:
            raise
        except Exception as error:  # it is the user's code: whatever it raises is said with the sampler's name
            raise SamplingError(f"{sampler.name}: draw() raised {type(error).__name__}: {error}") from error
        if positions.shape != (total, *self.position.shape):
            raise SamplingError(
                f"{sampler.name}: draw() returned positions of shape {positions.shape}; they must have shape "
                f"{(total, *self.position.shape)}, (draws, chain, dim)"
            )
        counted.ends("sampling")
        share = plan.warmup / total
        self._spent, self.tuning_spent = float(counted.evaluations), float(counted.tuning_evaluations)
        self.warmup_spent = self.tuning_spent + round(share * (self._spent - self.tuning_spent))
        measured = positions[plan.warmup :]  # (transition, chain, dim)
        finite = np.isfinite(positions).all(axis=(0, 2))
        self.stopped_at = np.where(finite, -1, counted.evaluations).astype(np.int64)
        self.mean_powers[0] = measured.mean(axis=0)
        self.mean_powers[1] = (measured**2).mean(axis=0)
        self.statistic_sums[:, ACCEPTANCE] = plan.transitions
        self.position = measured[-1].copy()
        self.kept_position[:] = measured[plan.thin - 1 :: plan.thin][: len(self.kept_position)]
        self.kept_statistics[:, :, ACCEPTANCE] = 1.0
        progress(total * chains)
        self._look_up_log_density()
        sampling = counted.seconds["sampling"]
        return Seconds(
            counted.seconds["compilation"], counted.seconds["tuning"], share * sampling, (1.0 - share) * sampling
        )
