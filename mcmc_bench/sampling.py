"""Runs one sampler on one target: blocks of chains in threads, chunk by chunk.

Knows the contracts of targets and samplers and the chunk loop. Must not know any particular one of either, nor any
metric.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import threadpoolctl

from mcmc_bench.draws import Array, Cost, Draws
from mcmc_bench.kernels import jit as _jit
from mcmc_bench.kernels.chunk import CHUNK_SIGNATURE, run_chunk
from mcmc_bench.sampler import ACCEPTANCE, DIVERGING, ENERGY_ERROR, STATISTICS, Sampler
from mcmc_bench.streams import stream
from mcmc_bench.target import StartName, Target

#: Chains that move in lock-step. Matrix targets become one BLAS call a step; 16 was best or equal on all that were
#: measured. Part of the definition of the streams: another value gives other (equally good) numbers.
BLOCK_CHAINS = 16
#: Target evaluations of a block (chains × steps) between two looks at progress and Ctrl-C. A number and not a time,
#: so that results cannot depend on the speed of the machine.
CHUNK_EVALUATIONS = 400_000

Progress = Callable[[int], None]


class SamplingError(ValueError):
    """A run that cannot be started: bad settings, or a start where the density is not finite."""


@dataclass(frozen=True)
class Plan:
    """How long a run is: transitions discarded, transitions measured, and which of those are kept."""

    warm_up: int
    transitions: int
    thin: int = 1
    keep: bool = True

    @classmethod
    def for_budget(
        cls, sampler: Sampler, settings: Mapping[str, float], budget: int, burn_in: float, max_draws: int
    ) -> Plan:
        """The plan that spends `budget` target evaluations per chain, the one at the start included.

        Thins so that at most `max_draws` draws of a chain are kept.
        """
        at_start = 0 if sampler.draw is not None else 1
        transitions = (budget - at_start) // sampler.evaluations_per_step(settings)
        warm_up = int(burn_in * transitions)
        measured = transitions - warm_up
        if measured < 1:
            raise SamplingError(
                f"{sampler.name}: a budget of {budget} evaluations leaves no transition after burn-in "
                f"(one costs {sampler.evaluations_per_step(settings)}); raise budget"
            )
        return cls(warm_up, measured, thin=max(1, -(-measured // max_draws)))

    def evaluations(self, sampler: Sampler, settings: Mapping[str, float]) -> float:
        """Target evaluations that a chain of this plan is declared to cost, the one at the start included."""
        at_start = 0 if sampler.draw is not None else 1
        return float(at_start + (self.warm_up + self.transitions) * sampler.evaluations_per_step(settings))


class CountedTarget:
    """A target for samplers written in Python: the same density, each evaluation counted."""

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
        self._points += len(x)
        return self._target.log_density_and_gradient(x)

    def exact_draws(self, generator: np.random.Generator, n: int) -> Array:
        """`n` exact draws (n, dim); each counts as one evaluation of the block."""
        if self._target.draw_exact is None:
            raise SamplingError(f"{self._target.label} has no exact sampler: the oracle cannot run on it")
        self._points += n
        return self._target.draw_exact(generator, n)


@cache
def _blas() -> threadpoolctl.ThreadpoolController:
    import scipy.linalg.cython_blas  # noqa: F401 - loads the BLAS that numba's np.dot calls, so that it is found

    return threadpoolctl.ThreadpoolController()


def compile_kernels(target: Target, sampler: Sampler) -> None:
    """Compile, or read from the cache, what a run needs."""
    if sampler.draw is None:
        _jit.compiled(sampler.step, _jit.STEP_SIGNATURE)
        _jit.compiled(target.density, _jit.BLOCK_SIGNATURE)
        _jit.compiled(run_chunk, CHUNK_SIGNATURE)


def run(
    target: Target,
    sampler: Sampler,
    settings: Mapping[str, Any],
    plan: Plan,
    *,
    chains: int,
    start: StartName | Array,
    names: Sequence[object],
    threads: int = 1,
    inverse_mass_matrix: npt.ArrayLike | None = None,
    progress: Progress | None = None,
    stop: threading.Event | None = None,
) -> Draws:
    """One replicate.

    Args:
        target: what to sample from.
        sampler: what to sample with.
        settings: the sampler's settings; the rest keep their defaults.
        plan: how long.
        chains: how many chains.
        start: a kind of start, or positions (chains, dim).
        names: the names of the random stream. The numbers do not depend on `threads`.
        threads: blocks run at a time.
        inverse_mass_matrix: diagonal (dim,); ones by default.
        progress: called with the number of chain transitions made since the last call.
        stop: set from outside to end after the current chunk with `KeyboardInterrupt`.

    Raises:
        SamplingError: the run cannot be started.
    """
    if chains < 1:
        raise SamplingError(f"chains = {chains}: at least 1 is needed")
    try:
        complete = sampler.complete(settings)
    except ValueError as error:
        raise SamplingError(str(error)) from error
    diagonal = _diagonal(sampler, target, inverse_mass_matrix)
    if isinstance(start, str):
        try:
            positions = target.starts(start, stream(*names, "start"), chains)
        except ValueError as error:
            raise SamplingError(str(error)) from error
    else:
        positions = np.ascontiguousarray(start, dtype=np.float64)
    if positions.shape != (chains, target.dim):
        raise SamplingError(f"starts of {target.label} must have shape ({chains}, {target.dim}), not {positions.shape}")

    before = time.perf_counter()
    compile_kernels(target, sampler)
    compile_seconds = time.perf_counter() - before

    def one_block(index: int) -> _Block:
        block_start = positions[index * BLOCK_CHAINS : (index + 1) * BLOCK_CHAINS]
        block = _Block(target, sampler, complete, diagonal, plan, block_start, stream(*names, "block", index))
        block.run(progress or (lambda count: None), stop or threading.Event())
        return block

    blocks = range(-(-chains // BLOCK_CHAINS))
    with _blas().limit(limits=1, user_api="blas"):
        if threads == 1 or len(blocks) == 1:
            done = [one_block(index) for index in blocks]
        else:
            with ThreadPoolExecutor(threads) as pool:
                done = list(pool.map(one_block, blocks))
    return _join(done, positions, plan, compile_seconds)


def _diagonal(sampler: Sampler, target: Target, given: npt.ArrayLike | None) -> Array:
    if given is None:
        return np.ones(target.dim)
    if not sampler.uses_inverse_mass_matrix:
        raise SamplingError(f"{sampler.name} uses no inverse_mass_matrix; leave it out")
    diagonal = np.ascontiguousarray(given, dtype=np.float64)
    if diagonal.shape != (target.dim,):
        raise SamplingError(f"inverse_mass_matrix must have shape ({target.dim},), not {diagonal.shape}")
    if not (np.isfinite(diagonal).all() and (diagonal > 0).all()):
        raise SamplingError("inverse_mass_matrix must be finite and greater than 0 in every entry")
    return diagonal


class _Block:
    """The state of one block of chains and what it has kept."""

    def __init__(
        self,
        target: Target,
        sampler: Sampler,
        settings: Mapping[str, float],
        inverse_mass_matrix: Array,
        plan: Plan,
        start: Array,
        generator: np.random.Generator,
    ) -> None:
        chains, dim = start.shape
        self.target, self.sampler, self.plan, self.generator = target, sampler, plan, generator
        self.settings = settings
        self.inverse_mass_matrix = inverse_mass_matrix
        self.position = start.copy()
        self.log_density = np.empty(chains)
        self.gradient = np.empty((chains, dim))
        self.statistics = np.zeros((chains, len(STATISTICS)))
        self.scratch = np.zeros((max(sampler.scratch, 1), chains, dim))
        self.evaluations = np.zeros(1, dtype=np.int64)
        self.stopped_at = np.full(chains, -1, dtype=np.int64)
        draws = plan.transitions // plan.thin if plan.keep else 0
        self.kept_position = np.empty((draws, chains, dim))
        self.kept_log_density = np.empty((draws, chains))
        self.kept_statistics = np.zeros((draws, chains, len(STATISTICS)))
        self.mean_powers = np.zeros((2, chains, dim))
        self.statistic_sums = np.zeros((chains, len(STATISTICS)))
        self.warm_up_evaluations = 0
        self.warm_up_seconds = 0.0
        self.sampling_seconds = 0.0

    def run(self, progress: Progress, stop: threading.Event) -> None:
        if self.sampler.draw is not None:
            self._run_python(progress)
            return
        self.target.pointer(self.position, self.log_density, self.gradient, self.target.data)
        if self.target.after_call is not None:
            self.target.after_call()
        self.evaluations[0] = 1
        bad = np.flatnonzero(~(np.isfinite(self.log_density) & np.isfinite(self.gradient).all(axis=1)))
        if len(bad):
            raise SamplingError(
                f"{self.target.label}: log density {self.log_density[bad[0]]} or its gradient is not finite at the "
                f"start {np.array2string(self.position[bad[0]], threshold=6)}; start the chains elsewhere"
            )
        before = time.perf_counter()
        nothing = (np.empty((0, *self.position.shape)), np.empty((0, len(self.position))), self.kept_statistics[:0])
        self._transitions(self.plan.warm_up, 1, nothing, progress, stop)
        self.warm_up_evaluations = int(self.evaluations[0])
        self.warm_up_seconds = time.perf_counter() - before
        # What the warm-up has summed up is not part of the measurement.
        self.mean_powers[:] = np.where(np.isnan(self.mean_powers), np.nan, 0.0)
        self.statistic_sums[:] = 0.0
        before = time.perf_counter()
        kept = (self.kept_position, self.kept_log_density, self.kept_statistics)
        self._transitions(self.plan.transitions, self.plan.thin, kept, progress, stop)
        self.sampling_seconds = time.perf_counter() - before

    def _transitions(
        self, count: int, thin: int, kept: tuple[Array, Array, Array], progress: Progress, stop: threading.Event
    ) -> None:
        per_step = self.sampler.evaluations_per_step(self.settings)
        chunk = max(1, CHUNK_EVALUATIONS // (per_step * len(self.position)))
        vector = np.array(list(self.settings.values()), dtype=np.float64)
        for first in range(0, count, chunk):
            steps = min(chunk, count - first)
            run_chunk(
                self.sampler.pointer, self.target.pointer, self.target.data, self.generator, vector,
                self.inverse_mass_matrix, self.position, self.log_density, self.gradient, self.statistics,
                self.scratch, self.evaluations, self.stopped_at, steps, first, thin,
                *kept, self.mean_powers, self.statistic_sums,
            )  # fmt: skip
            if self.target.after_call is not None:
                self.target.after_call()
            progress(steps * len(self.position))
            if stop.is_set():
                raise KeyboardInterrupt

    def _run_python(self, progress: Progress) -> None:
        """A sampler written in Python returns all its transitions at once; the warm-up is cut off here."""
        assert self.sampler.draw is not None
        plan, chains = self.plan, len(self.position)
        counted = CountedTarget(self.target, chains)
        before = time.perf_counter()
        positions = self.sampler.draw(
            counted, self.generator, self.position, plan.warm_up + plan.transitions, self.settings
        )
        seconds = time.perf_counter() - before
        self.evaluations[0] = counted.evaluations
        share = plan.warm_up / (plan.warm_up + plan.transitions)
        self.warm_up_evaluations = round(share * counted.evaluations)
        self.warm_up_seconds = share * seconds
        self.sampling_seconds = seconds - self.warm_up_seconds
        measured = positions[plan.warm_up :]  # (transition, chain, dim)
        self.mean_powers[0] = measured.mean(axis=0)
        self.mean_powers[1] = (measured**2).mean(axis=0)
        self.statistic_sums[:, ACCEPTANCE] = plan.transitions
        self.position = measured[-1].copy()
        if plan.keep:
            self.kept_position[:] = measured[plan.thin - 1 :: plan.thin][: len(self.kept_position)]
            flat = self.kept_position.reshape(-1, self.target.dim)
            # Looking the draws up again for `lp` is bookkeeping, not a cost of the sampler.
            self.kept_log_density[:] = self.target.log_density_and_gradient(flat)[0].reshape(-1, chains)
            self.kept_statistics[:, :, ACCEPTANCE] = 1.0
        progress((plan.warm_up + plan.transitions) * chains)


def _join(blocks: Sequence[_Block], start: Array, plan: Plan, compile_seconds: float) -> Draws:
    """The draws of all blocks, chains in order."""

    def chains_first(name: str) -> Array:
        return np.concatenate([np.moveaxis(getattr(block, name), 1, 0) for block in blocks])

    statistics = chains_first("kept_statistics")  # (chain, draw, 3)
    sums = np.concatenate([block.statistic_sums for block in blocks])  # (chain, 3)
    powers = np.concatenate([block.mean_powers for block in blocks], axis=1)  # (2, chain, dim)
    stopped_at = np.concatenate([block.stopped_at for block in blocks])
    used = np.concatenate([np.full(len(b.position), b.evaluations[0], dtype=float) for b in blocks])
    used = np.where(stopped_at >= 0, stopped_at, used)
    warm_up = np.minimum(
        used, np.concatenate([np.full(len(b.position), b.warm_up_evaluations, dtype=float) for b in blocks])
    )
    return Draws(
        position=chains_first("kept_position"),
        log_density=chains_first("kept_log_density"),
        acceptance_rate=statistics[:, :, ACCEPTANCE],
        diverging=statistics[:, :, DIVERGING] > 0,
        energy_error=statistics[:, :, ENERGY_ERROR],
        mean=powers[0],
        mean_square=powers[1],
        mean_acceptance=np.where(stopped_at >= 0, np.nan, sums[:, ACCEPTANCE] / plan.transitions),
        divergences=sums[:, DIVERGING].astype(np.int64),
        stopped_at=stopped_at,
        start=start,
        end=np.concatenate([block.position for block in blocks]),
        transitions=plan.transitions,
        thin=plan.thin,
        cost=Cost(
            warm_up_evaluations=float(warm_up.mean()),
            sampling_evaluations=float((used - warm_up).mean()),
            compile_seconds=compile_seconds,
            warm_up_seconds=sum(block.warm_up_seconds for block in blocks),
            sampling_seconds=sum(block.sampling_seconds for block in blocks),
        ),
    )
